// Command leango leaves out of a wasm build what a page never runs of Go's own packages:
// execution traces, metrics, profiles, the settings of GODEBUG, dumps of broken memory,
// and printing of dates.
//
//	leango -goroot "$(go env GOROOT)" -out DIR [-https]
//	GOOS=js GOARCH=wasm go build -overlay=DIR/overlay.json ./wasm
//
// It copies the files of GOROOT that it changes into DIR. The compiler and the linker do the rest:
// what no call reaches any more is not in the program. cuts.go lists each change and its reason.
// With -https it also leaves out what https.go lists, for ./wasm/https. A release of Go that
// leango does not know is refused, and so is a function that is missing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "leango:", err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("leango", flag.ContinueOnError)
	root := flags.String("goroot", "", "directory of the Go release")
	out := flags.String("out", "", "directory for the changed files and overlay.json")
	https := flags.Bool("https", false, "also the changes for ./wasm/https")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *root == "" || *out == "" || flags.NArg() > 0 {
		return errors.New("usage: leango -goroot DIR -out DIR [-https]")
	}
	wanted := maps.Clone(cuts)
	if *https {
		maps.Copy(wanted, httpsCuts)
	}
	return write(*root, *out, wanted)
}
