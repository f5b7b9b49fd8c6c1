// Package cli is the command sockmux: what its arguments ask for, and its exit codes.
//
//	os.Exit(cli.Run(context.Background(), os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
//
// Without a subcommand it loads the settings and runs the server of package app.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sockmux/sockmux/server/app"
	"github.com/sockmux/sockmux/server/config"
)

// Exit codes of the command.
const (
	exitOK     = 0  // also after a drain
	exitFailed = 1  // something that was configured cannot be had, such as the port
	exitUsage  = 64 // flags or environment are wrong (EX_USAGE of sysexits.h); 2 is that of a crash of Go
)

// Run runs the command. It returns the exit code when everything that it started has ended.
// The end of ctx is like SIGTERM. stdout gets what was asked for and, once the server serves,
// its address. Everything else goes to stderr.
func Run(ctx context.Context, args, environment []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command, rest, err := findSubcommand(args)
	if command != nil && asksForHelp(rest) {
		fmt.Fprint(stdout, "Usage:\n"+command.help())
		return exitOK
	}
	if command != nil {
		err = command.run(ctx, call{args: rest, environment: environment, stdin: stdin, stdout: stdout, stderr: stderr})
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
		fmt.Fprintln(stdout, app.VersionLine())
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
	err = app.Run(ctx, app.Config{
		Settings: settings,
		Load:     func() (*config.Config, error) { return config.Load(args, environment) },
		Kill:     func() { os.Exit(exitFailed) },
		Stdout:   stdout,
		Stderr:   stderr,
	})
	if err != nil {
		return exitFailed // the log has the error
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
