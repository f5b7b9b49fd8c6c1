// Command trimwasm makes a program that Go built for GOOS=js smaller for the wire: it
// takes out of its data what only stack traces print (file names, line numbers, what was
// inlined where, how arguments are shown), and writes the data in few segments.
//
//	trimwasm -in FILE -out FILE
//
// The program runs as before. A panic still names every function that was not inlined,
// without files and lines; so do runtime.Callers and runtime.Caller. The tables' layout
// is that of Go 1.20 to 1.26 (internal/abi, runtime/symtab.go, runtime/runtime2.go); a
// file with another one is refused and nothing is written.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "trimwasm:", err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("trimwasm", flag.ContinueOnError)
	in := flags.String("in", "", "wasm file as the linker wrote it")
	out := flags.String("out", "", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *in == "" || *out == "" || flags.NArg() > 0 {
		return errors.New("usage: trimwasm -in FILE -out FILE")
	}
	program, err := os.ReadFile(*in)
	if err != nil {
		return err
	}
	smaller, err := trim(program)
	if err != nil {
		return fmt.Errorf("%s: %w", *in, err)
	}
	return os.WriteFile(*out, smaller, 0o644)
}

// trim gives the program without what only stack traces need. The argument stays as it is.
func trim(program []byte) ([]byte, error) {
	m, err := parse(program)
	if err != nil {
		return nil, err
	}
	memory, err := m.memory()
	if err != nil {
		return nil, err
	}
	tables, err := findTables(memory)
	if err != nil {
		return nil, err
	}
	if err := tables.dropTraces(); err != nil {
		return nil, err
	}
	return m.with(memory), nil
}
