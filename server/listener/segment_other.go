//go:build !linux

package listener

import "errors"

// CanBoundSegments reports whether Config.MSS has an effect on this system.
const CanBoundSegments = false

func boundSegments(uintptr, int) error { return errors.ErrUnsupported }
