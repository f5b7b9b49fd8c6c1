// Command licenses writes the licenses of all that is linked into a binary: Go's own, and those
// of each module, from the module cache. It asks no network. deploy/dist and the Dockerfile
// use it. A module without a license is an error.
//
// usage: licenses BINARY FILE
package main

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: licenses BINARY FILE")
	}
	text, err := collect(args[0])
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], text, 0o644)
}

// collect returns the licenses of a binary's modules, and of those of the wasm inside it.
func collect(binary string) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("modules of the binary: %w", err)
	}
	modules := make(map[string]string) // version by path
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		modules[dep.Path] = dep.Version
	}
	inside, err := wasmModules(info.Main.Path)
	if err != nil {
		return nil, err
	}
	maps.Copy(modules, inside)

	var out bytes.Buffer
	goroot, err := command("go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	if err := add(&out, "Go "+runtime.Version()+" (standard library)", goroot); err != nil {
		return nil, err
	}
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		dir, err := command("go", "list", "-m", "-f", "{{.Dir}}", path)
		if err != nil {
			return nil, err
		}
		if err := add(&out, path+" "+modules[path], dir); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// wasmModules are the modules of the program for browsers, which has no list of its own.
func wasmModules(main string) (map[string]string, error) {
	c := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", main+"/wasm")
	c.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	text, err := output(c)
	if err != nil {
		return nil, err
	}
	modules := make(map[string]string)
	for line := range strings.Lines(text) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		if path != "" && path != main {
			modules[path] = version
		}
	}
	return modules, nil
}

// files begin the names of what a module's folder has to say.
var files = []string{"LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "PATENTS"}

// add writes the license files of a folder below a heading.
func add(out *bytes.Buffer, title, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	found := false
	for _, entry := range entries {
		name := strings.ToUpper(entry.Name())
		if !entry.Type().IsRegular() || !slices.ContainsFunc(files, func(begin string) bool { return strings.HasPrefix(name, begin) }) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return fmt.Errorf("%s: %w", title, err)
		}
		found = found || !strings.HasPrefix(name, "NOTICE") && !strings.HasPrefix(name, "PATENTS")
		fmt.Fprintf(out, "==== %s: %s\n\n%s\n\n", title, entry.Name(), bytes.TrimSpace(text))
	}
	if !found {
		return fmt.Errorf("%s: no license in %s", title, dir)
	}
	return nil
}

func command(name string, args ...string) (string, error) { return output(exec.Command(name, args...)) }

// output runs a command and returns what it prints.
func output(c *exec.Cmd) (string, error) {
	var failed bytes.Buffer
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(c.Args, " "), err, &failed)
	}
	return strings.TrimSpace(string(out)), nil
}
