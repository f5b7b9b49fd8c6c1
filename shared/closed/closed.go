//go:build !js

// Package closed has the error of what this end has closed itself. In the page it stands alone:
// the program there does without net, which has a use for no browser.
package closed

import "net"

// Err is the error of an operation on something that this end has closed. Where there is a net,
// it is net.ErrClosed.
var Err = net.ErrClosed
