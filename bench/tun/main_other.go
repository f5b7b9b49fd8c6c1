//go:build !linux

// Command tun runs a command at the far end of a line of real TCP, on Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "tun: a line of real TCP needs Linux's network namespaces and TUN devices")
	os.Exit(1)
}
