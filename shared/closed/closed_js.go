// Package closed has the error of what this end has closed itself. It has the text of
// net.ErrClosed.
package closed

import "errors"

// Err is the error of an operation on something that this end has closed.
var Err = errors.New("use of closed network connection")
