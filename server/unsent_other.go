//go:build !linux

package main

import "net"

// limitUnsent does nothing: only Linux is tuned.
func limitUnsent(net.Conn) {}
