// Command sockmux is the server: it takes one WebSocket from each page and opens the TCP connections that the page's programs ask for.
// docs/OPERATIONS.md says how to run it; sockmux --help lists the flags.
//
// Every build resolves names by Go's own code, whether or not it is linked with a C library.
//
//go:debug netdns=go
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sockmux/sockmux/server/config"
)

// Exit codes of the command.
const (
	exitOK     = 0  // also after a drain
	exitFailed = 1  // something that was configured cannot be had, such as the port
	exitUsage  = 64 // flags or environment are wrong (EX_USAGE of sysexits.h); 2 is that of a crash of Go
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the command. It returns the exit code when everything it started has ended. The end of ctx is like SIGTERM. On stdout it prints what was
// asked for and, once it serves, the address; everything else goes to stderr.
func run(ctx context.Context, args, environment []string, stdout, stderr io.Writer) int {
	command, rest, err := findSubcommand(args)
	if command != nil {
		err = command.run(ctx, call{args: rest, environment: environment, stdin: os.Stdin, stdout: stdout, stderr: stderr})
	}
	if command != nil || err != nil {
		return ended(err, stderr)
	}
	settings, err := config.Load(args, environment)
	if err != nil {
		for line := range strings.Lines(err.Error() + "\n") {
			fmt.Fprint(stderr, "sockmux: ", line)
		}
		return exitUsage
	}
	switch settings.Mode {
	case config.PrintHelp:
		fmt.Fprint(stdout, config.Help()+helpOfSubcommands())
		return exitOK
	case config.PrintVersion:
		fmt.Fprintln(stdout, versionLine())
		return exitOK
	case config.PrintConfig:
		fmt.Fprint(stdout, settings.Print())
		return exitOK
	case config.CheckOnly:
		for _, warning := range settings.Warnings {
			fmt.Fprintln(stderr, "sockmux: warning:", warning)
		}
		fmt.Fprintln(stdout, "the configuration is good")
		return exitOK
	}
	log := openLog(settings, stderr)
	err = serve(ctx, settings, func() (*config.Config, error) { return config.Load(args, environment) }, stdout, log)
	log.close(err)
	if err != nil {
		return exitFailed
	}
	return exitOK
}

// ended says what is wrong with a subcommand, and gives its exit code.
func ended(err error, stderr io.Writer) int {
	var misuse usageError
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errDenied):
		return exitFailed
	}
	for line := range strings.Lines(err.Error() + "\n") {
		fmt.Fprint(stderr, "sockmux: ", line)
	}
	if errors.As(err, &misuse) {
		return exitUsage
	}
	return exitFailed
}
