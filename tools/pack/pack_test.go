package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	full := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestPack(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	script := strings.Repeat("let socket;\n", 500)
	write(t, in, "sockmux.js", script)
	write(t, in, "sockmux.d.ts", strings.Repeat("export {};\n", 50))
	write(t, in, "playground/index.html", strings.Repeat("<p>", 500))
	write(t, in, "playground/dot.png", "x")
	write(t, in, ".hidden", "secret")
	write(t, out, "placeholder", "stays\n")
	write(t, out, "gone/old.js", "old")

	if err := run([]string{"-in", in, "-out", out, "-version", "v1"}, io.Discard); err != nil {
		t.Fatal(err)
	}
	var got manifest
	if err := json.Unmarshal(read(t, out, manifestName), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != "v1" || len(got.Files) != 4 {
		t.Fatalf("manifest: %+v", got)
	}
	byPath := make(map[string]file)
	for _, f := range got.Files {
		byPath[f.Path] = f
	}
	js := byPath["sockmux.js"]
	if js.Type != "text/javascript; charset=utf-8" || !strings.HasPrefix(js.Hashed, "assets/sockmux-") || !strings.HasSuffix(js.Hashed, ".js") {
		t.Errorf("sockmux.js: %+v", js)
	}
	if h := byPath["sockmux.d.ts"].Hashed; !strings.HasSuffix(h, ".d.ts") {
		t.Errorf("sockmux.d.ts: hashed name %q", h)
	}
	if h := byPath["playground/index.html"].Hashed; h != "" {
		t.Errorf("a file in a folder has the hashed name %q", h)
	}
	for name, decode := range map[string]func(io.Reader) io.Reader{
		"sockmux.js":    func(r io.Reader) io.Reader { return r },
		"sockmux.js.br": func(r io.Reader) io.Reader { return brotli.NewReader(r) },
		"sockmux.js.gz": func(r io.Reader) io.Reader {
			z, err := gzip.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			return z
		},
	} {
		content, err := io.ReadAll(decode(bytes.NewReader(read(t, out, name))))
		if err != nil || string(content) != script {
			t.Errorf("%s does not hold the script: %v", name, err)
		}
	}
	if exists(filepath.Join(out, "playground/dot.png.br")) {
		t.Error("a twin that is larger than its file was written")
	}
	if exists(filepath.Join(out, "gone")) || exists(filepath.Join(out, ".hidden")) {
		t.Error("files that do not belong there are in the output")
	}
	if string(read(t, out, "placeholder")) != "stays\n" {
		t.Error("the placeholder was changed")
	}
}

func TestPackSkipsWhatIsUnchanged(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	write(t, in, "a.js", strings.Repeat("a", 1000))
	write(t, in, "b.js", strings.Repeat("b", 1000))
	if _, err := pack(in, out, "v1"); err != nil {
		t.Fatal(err)
	}
	write(t, out, "a.js.br", "kept")
	write(t, out, "b.js.br", "stale")
	write(t, in, "b.js", strings.Repeat("c", 1000))
	if _, err := pack(in, out, "v2"); err != nil {
		t.Fatal(err)
	}
	if string(read(t, out, "a.js.br")) != "kept" {
		t.Error("an unchanged file was compressed again")
	}
	if string(read(t, out, "b.js.br")) == "stale" {
		t.Error("a changed file was not compressed again")
	}
}

func TestPackErrors(t *testing.T) {
	odd := t.TempDir()
	write(t, odd, "a.xyz", "?")
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no folders":   {nil, "usage: pack -in DIR -out DIR [-version VERSION]"},
		"no name":      {[]string{"-name"}, "usage: pack -name FILE"},
		"unknown type": {[]string{"-in", odd, "-out", t.TempDir()}, `a.xyz: no media type is known for ".xyz": add it to tools/pack/manifest.go`},
	} {
		err := run(test.args, io.Discard)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", name, err, test.want)
		}
	}
	if _, err := pack(t.TempDir(), t.TempDir(), "v"); err == nil || !strings.HasSuffix(err.Error(), "holds no files") {
		t.Errorf("empty input: error %v", err)
	}
}

// The name that -name prints is the one that the manifest will hold.
func TestNameAgreesWithManifest(t *testing.T) {
	in := t.TempDir()
	write(t, in, "sockmux.wasm", "\x00asm")
	var printed bytes.Buffer
	if err := run([]string{"-name", filepath.Join(in, "sockmux.wasm")}, &printed); err != nil {
		t.Fatal(err)
	}
	m, err := pack(in, t.TempDir(), "v")
	if err != nil {
		t.Fatal(err)
	}
	// printf '\0asm' | openssl dgst -sha256 -binary | base64
	if want := m.Files[0].Hashed + " sha256-zV1JNaSMBnLLBkB7tEO8AIev+UfGuGS6yIaYLHOzAn8=\n"; printed.String() != want {
		t.Errorf("-name printed %q, the manifest has %q", printed.String(), want)
	}
}
