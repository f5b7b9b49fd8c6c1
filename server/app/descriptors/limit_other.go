//go:build !unix

package descriptors

// Limit returns how many descriptors the process may have, 0 if that is not known.
func Limit() int { return 0 }
