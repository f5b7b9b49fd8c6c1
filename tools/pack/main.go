// Command pack turns a folder of built files into the folder that server/gateway/assets embeds.
//
//	pack -in DIR -out DIR -version VERSION    pack every file of -in
//	pack -name FILE...                        print the hashed name and a short SRI string of each file
//
// In -out every file lies at its own path with its twins PATH.br and PATH.gz beside it,
// and manifest.json describes them all. A file at the top of -in has a hashed name too:
// the URL under which it may be cached for ever. What is unchanged since the last run is
// not compressed again.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "pack:", err)
		}
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	in := flags.String("in", "", "folder with the built files")
	out := flags.String("out", "", "folder to write")
	version := flags.String("version", "dev", "version to write into the manifest")
	names := flags.Bool("name", false, "only print the hashed name and a short SRI string of the files named as arguments")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *names {
		return printNames(flags.Args(), stdout)
	}
	if *in == "" || *out == "" || flags.NArg() > 0 {
		return errors.New("usage: pack -in DIR -out DIR [-version VERSION]")
	}
	manifest, err := pack(*in, *out, *version)
	if err != nil {
		return err
	}
	return report(manifest, *out, stdout)
}

// printNames is for builds that must know a hashed name before everything is packed: the
// script holds the name of its wasm.
func printNames(paths []string, stdout io.Writer) error {
	if len(paths) == 0 {
		return errors.New("usage: pack -name FILE")
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s %s\n", hashedName(filepath.Base(path), digestOf(content)), shortSRI(content))
	}
	return nil
}
