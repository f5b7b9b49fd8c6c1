package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The archive, made as `make dist` makes it, has the license of every module that `go version
// -m` lists for the binary in it.
func TestArchive(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("deploy/dist is a script for bash")
	}
	out := t.TempDir()
	c := exec.Command("deploy/dist", "v0.0.0-test", "-s -w", runtime.GOOS+"/"+runtime.GOARCH)
	c.Dir = "../.."
	c.Env = append(os.Environ(), "DIST="+out, "SOURCE_DATE_EPOCH=1700000000")
	if text, err := c.CombinedOutput(); err != nil {
		t.Fatalf("deploy/dist: %v\n%s", err, text)
	}
	name := "sockmux-v0.0.0-test-" + runtime.GOOS + "-" + runtime.GOARCH
	files := unpack(t, filepath.Join(out, name+".tar.gz"))
	binary := filepath.Join(t.TempDir(), "sockmux")
	if err := os.WriteFile(binary, files[name+"/sockmux"], 0o700); err != nil {
		t.Fatal(err)
	}
	listed, err := command("go", "version", "-m", binary)
	if err != nil {
		t.Fatal(err)
	}
	licenses, modules := string(files[name+"/LICENSES"]), 0
	for line := range strings.Lines(listed) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "dep" {
			continue
		}
		modules++
		_, section, found := strings.Cut(licenses, "==== "+words[1]+" "+words[2]+": ")
		section, _, _ = strings.Cut(section, "\n==== ")
		if !found || len(section) < 200 || !strings.Contains(strings.ToLower(section), "copyright") && !strings.Contains(section, "Apache License") {
			t.Errorf("%s %s: no license in the archive: %.200q", words[1], words[2], section)
		}
	}
	if modules < 10 {
		t.Errorf("%d modules are linked:\n%s", modules, listed)
	}
	if !strings.Contains(licenses, "(standard library): LICENSE") {
		t.Error("Go's own license is not in the archive")
	}
}

// unpack returns the files of an archive by name.
func unpack(t *testing.T, path string) map[string][]byte {
	t.Helper()
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string][]byte)
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(archive); err != nil {
			t.Fatal(err)
		}
	}
}

// A folder without a license, or with a notice only, is an error.
func TestNoLicense(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"README.md", "NOTICE"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := add(new(bytes.Buffer), "example.org/module v1.0.0", dir); err == nil || !strings.Contains(err.Error(), "example.org/module v1.0.0: no license") {
			t.Errorf("with %s: error %v", name, err)
		}
	}
}
