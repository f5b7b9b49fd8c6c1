package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/build"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// write writes the changed files below out, and overlay.json with their names for go build.
func write(root, out string, cuts map[string]changes) error {
	version, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return err
	}
	if have, _, _ := strings.Cut(string(version), "\n"); have != release && !strings.HasPrefix(have, release+".") {
		return fmt.Errorf("%s is %s, and the list of cuts is for %s", root, have, release)
	}
	if out, err = filepath.Abs(out); err != nil {
		return err
	}
	replace := make(map[string]string)
	for path, c := range cuts {
		files, err := sources(filepath.Join(root, "src", filepath.FromSlash(path)))
		if err != nil {
			return err
		}
		c.found = make(map[string]bool)
		for _, file := range files {
			copied := filepath.Join(out, filepath.FromSlash(path), filepath.Base(file))
			changed, err := c.copy(file, copied)
			if err != nil {
				return err
			}
			if changed {
				replace[file] = copied
			}
		}
		for name, content := range c.added {
			copied := filepath.Join(out, filepath.FromSlash(path), name)
			if err := put(copied, []byte(content)); err != nil {
				return err
			}
			replace[filepath.Join(root, "src", filepath.FromSlash(path), name)] = copied
		}
		for _, name := range slices.Sorted(maps.Keys(c.bodies)) {
			if !c.found[name] {
				return fmt.Errorf("package %s has no function %s", path, name)
			}
		}
	}
	overlay, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "overlay.json"), append(overlay, '\n'), 0o644)
}

// sources returns the files of a package that a build for js/wasm compiles.
func sources(dir string) ([]string, error) {
	context := build.Default
	context.GOOS, context.GOARCH, context.CgoEnabled = "js", "wasm", false
	pkg, err := context.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	files := pkg.GoFiles
	for i := range files {
		files[i] = filepath.Join(dir, files[i])
	}
	return files, nil
}

// copy writes the changed form of file to copied. It reports whether there are changes.
func (c changes) copy(file, copied string) (bool, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	changed, err := c.apply(file, source)
	if err != nil || bytes.Equal(source, changed) {
		return false, err
	}
	return true, put(copied, changed)
}

// put writes a file and makes its folder.
func put(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}
