package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// folder is the same content with other times each time.
func folder(at time.Time) fstest.MapFS {
	return fstest.MapFS{
		"sockmux":         {Mode: os.ModeDir | 0o755, ModTime: at},
		"sockmux/sockmux": {Data: []byte("the binary"), Mode: 0o755, ModTime: at},
		"sockmux/docs":    {Mode: os.ModeDir | 0o755, ModTime: at},
		"sockmux/docs/a":  {Data: []byte("a text"), Mode: 0o644, ModTime: at.Add(time.Hour)},
	}
}

var commit = time.Unix(1_700_000_000, 0).UTC()

func TestSameBytes(t *testing.T) {
	for name, pack := range map[string]func(io.Writer, time.Time) error{
		"tar": func(w io.Writer, at time.Time) error { return writeTar(w, folder(at), "sockmux", commit) },
		"zip": func(w io.Writer, at time.Time) error { return writeZip(w, folder(at), "sockmux", commit) },
	} {
		var one, two bytes.Buffer
		if err := pack(&one, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := pack(&two, time.Now().Add(-24*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if one.Len() == 0 || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("%s: %d and %d bytes that differ", name, one.Len(), two.Len())
		}
	}
}

func TestTarContent(t *testing.T) {
	var b bytes.Buffer
	if err := writeTar(&b, folder(time.Now()), "sockmux", commit); err != nil {
		t.Fatal(err)
	}
	packed, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(packed)
	var got []string
	for {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(commit) || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%+v", header)
		}
		got = append(got, header.Name+" "+header.FileInfo().Mode().String()+" "+string(content))
	}
	want := "sockmux/ drwxr-xr-x \nsockmux/docs/ drwxr-xr-x \nsockmux/docs/a -rw-r--r-- a text\nsockmux/sockmux -rwxr-xr-x the binary"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestZipContent(t *testing.T) {
	var b bytes.Buffer
	if err := writeZip(&b, folder(time.Now()), "sockmux", commit); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 2 || archive.File[1].Name != "sockmux/sockmux" || archive.File[1].Mode().Perm() != 0o755 || !archive.File[1].Modified.Equal(commit) {
		t.Errorf("%+v", archive.File)
	}
}

func TestRun(t *testing.T) {
	parent, out := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(parent, "sockmux"), 0o755); err != nil {
		t.Fatal(err)
	}
	for system, file := range map[string]string{"linux": "sockmux.tar.gz", "windows": "sockmux.zip"} {
		if err := run([]string{"1700000000", parent, "sockmux", out, system}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(out, file)); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range [][]string{nil, {"yesterday", parent, "sockmux", out, "linux"}, {"1", parent, "none", out, "linux"}, {"1", parent, "sockmux", filepath.Join(out, "none"), "linux"}} {
		if err := run(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}
