// Command sockmux carries the TCP connections of programs in a browser: it is the server, and
// as a subcommand a client. docs/OPERATIONS.md says how to run it; sockmux --help lists the flags.
//
// Every build resolves names by Go's own code, whether or not it is linked with a C library.
//
//go:debug netdns=go
package main

import (
	"context"
	"os"

	"github.com/sockmux/sockmux/server/cli"
)

func main() {
	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
