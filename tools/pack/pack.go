package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/andybalholm/brotli"
)

// placeholder keeps go:embed compiling in a tree where nothing has been built; it is
// committed and stays.
const placeholder = "placeholder"

// pack writes every regular file of in, its compressed twins and the manifest into out,
// and removes from out what does not belong there any more. The manifest comes last, so a
// run that is cut short leaves the old one or none.
func pack(in, out, version string) (manifest, error) {
	old := make(map[string]string)
	for _, f := range readManifest(out).Files {
		old[f.Path] = f.SRI
	}
	m := manifest{Version: version}
	keep := map[string]bool{manifestName: true, placeholder: true}
	err := filepath.WalkDir(in, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := name != in && strings.HasPrefix(entry.Name(), ".")
		if entry.IsDir() {
			if hidden {
				return filepath.SkipDir
			}
			return nil
		}
		if hidden || !entry.Type().IsRegular() {
			return nil
		}
		relative, err := filepath.Rel(in, name)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := describe(filepath.ToSlash(relative), content)
		if err != nil {
			return err
		}
		m.Files = append(m.Files, f)
		for _, suffix := range []string{"", ".br", ".gz"} {
			keep[f.Path+suffix] = true
		}
		return writeTwins(filepath.Join(out, relative), content, old[f.Path] == f.SRI)
	})
	if err != nil {
		return manifest{}, err
	}
	if len(m.Files) == 0 {
		return manifest{}, fmt.Errorf("%s holds no files", in)
	}
	if err := writeManifest(out, m); err != nil {
		return manifest{}, err
	}
	return m, sweep(out, keep)
}

func describe(name string, content []byte) (file, error) {
	mediaType, err := typeOf(name)
	if err != nil {
		return file{}, err
	}
	digest := digestOf(content)
	f := file{Path: name, Type: mediaType, SRI: sri(digest)}
	if path.Dir(name) == "." {
		f.Hashed = hashedName(name, digest)
	}
	return f, nil
}

// writeTwins writes content to name, name.br and name.gz. A twin that would not be
// smaller is left out, and the server sends the plain file.
func writeTwins(name string, content []byte, unchanged bool) error {
	if unchanged && exists(name) && exists(name+".br") && exists(name+".gz") {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := writeFile(name, content); err != nil {
		return err
	}
	for _, twin := range []struct {
		suffix   string
		compress func([]byte) ([]byte, error)
	}{{".br", compressBrotli}, {".gz", compressGzip}} {
		compressed, err := twin.compress(content)
		if err != nil {
			return fmt.Errorf("%s%s: %w", name, twin.suffix, err)
		}
		if len(compressed) >= len(content) {
			if err := os.Remove(name + twin.suffix); err != nil && !os.IsNotExist(err) {
				return err
			}
			continue
		}
		if err := writeFile(name+twin.suffix, compressed); err != nil {
			return err
		}
	}
	return nil
}

func compressBrotli(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	return finish(&out, w, content)
}

// compressGzip writes neither name nor time, so that the same input gives the same bytes.
func compressGzip(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	return finish(&out, w, content)
}

func finish(out *bytes.Buffer, w io.WriteCloser, content []byte) ([]byte, error) {
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeFile replaces the file in one step: a server that serves the folder never sees half of it.
func writeFile(name string, content []byte) error {
	temporary := name + ".new"
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// sweep removes from dir every file whose slashed path is not in keep, and the folders
// that are empty then.
func sweep(dir string, keep map[string]bool) error {
	var folders []string
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != dir {
				folders = append(folders, name)
			}
			return nil
		}
		if keep[filepath.ToSlash(relative)] {
			return nil
		}
		return os.Remove(name)
	})
	if err != nil {
		return err
	}
	for i := len(folders) - 1; i >= 0; i-- {
		entries, err := os.ReadDir(folders[i])
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			if err := os.Remove(folders[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// report prints what a browser will fetch, in bytes.
func report(m manifest, out string, stdout io.Writer) error {
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "bytes\tgzip\tbrotli\tfile\t")
	for _, f := range m.Files {
		name := filepath.Join(out, filepath.FromSlash(f.Path))
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", size(name), size(name+".gz"), size(name+".br"), f.Path)
	}
	return table.Flush()
}

func size(name string) string {
	info, err := os.Stat(name)
	if err != nil {
		return "-"
	}
	return fmt.Sprint(info.Size())
}
