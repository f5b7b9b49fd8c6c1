package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What is embedded is either not built at all or whole: every file is there, is what its
// integrity string says, and so is its gzip twin.
func TestEmbedded(t *testing.T) {
	store := Embedded()
	m, err := store.Manifest()
	if errors.Is(err, ErrNotBuilt) {
		if _, err := dist.Open("dist/placeholder"); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		content := readAll(t, store, f, Identity)
		digest := sha512.Sum384(content)
		if got := "sha384-" + base64.StdEncoding.EncodeToString(digest[:]); got != f.SRI {
			t.Errorf("%s: integrity %s, the manifest says %s", f.Path, got, f.SRI)
		}
		if _, err := store.Open(f, Gzip); err != nil {
			continue
		}
		z, err := gzip.NewReader(bytes.NewReader(readAll(t, store, f, Gzip)))
		if err != nil {
			t.Fatalf("%s.gz: %v", f.Path, err)
		}
		if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, content) {
			t.Errorf("%s.gz is not the same content: %v", f.Path, err)
		}
	}
}

func readAll(t *testing.T, store *Store, f File, encoding Encoding) []byte {
	t.Helper()
	opened, err := store.Open(f, encoding)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	content, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

const oneFile = `{"version":"v1","files":[{"path":"sockmux.js","hashed":"assets/sockmux-01.js","type":"text/javascript","sri":"sha384-x"}]}`

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFind(t *testing.T) {
	store := Dir(folder(t, map[string]string{"manifest.json": oneFile, "sockmux.js": "plain", "sockmux.js.br": "brotli"}))
	for name, wantHashed := range map[string]bool{"sockmux.js": false, "assets/sockmux-01.js": true} {
		f, hashed, err := store.Find(name)
		if err != nil || f.Path != "sockmux.js" || hashed != wantHashed {
			t.Errorf("find %s: %+v, hashed %t, error %v", name, f, hashed, err)
		}
	}
	for _, name := range []string{"", "manifest.json", "sockmux.js.br", "../sockmux.js", "assets/sockmux-02.js"} {
		if _, _, err := store.Find(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("find %q: error %v, want not exist", name, err)
		}
	}
	f, _, _ := store.Find("sockmux.js")
	if got := readAll(t, store, f, Brotli); string(got) != "brotli" {
		t.Errorf("brotli content %q", got)
	}
	if _, err := store.Open(f, Gzip); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a twin that is not there: error %v", err)
	}
}

// A build that happens while the server runs shows at the next request.
func TestDirFollowsTheBuild(t *testing.T) {
	dir := t.TempDir()
	store := Dir(dir)
	if _, _, err := store.Find("sockmux.js"); !errors.Is(err, ErrNotBuilt) {
		t.Fatalf("error %v, want ErrNotBuilt", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(oneFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Find("sockmux.js"); err != nil {
		t.Fatal(err)
	}
}

func TestBrokenManifest(t *testing.T) {
	for content, want := range map[string]string{
		`{`: "manifest.json: unexpected end of JSON input",
		`{"files":[{"path":"/etc/passwd","type":"t","sri":"sha384-x"}]}`:                                `manifest.json: "/etc/passwd" ("") is not a relative path`,
		`{"files":[{"path":"a","hashed":"../a","type":"t"}]}`:                                           `manifest.json: "a" ("../a") is not a relative path`,
		`{"files":[{"path":"a","sri":"sha384-x"}]}`:                                                     `manifest.json: a has no type`,
		`{"files":[{"path":"a","type":"t","sri":"md5-x"}]}`:                                             `manifest.json: a has the integrity "md5-x", want sha384- and the digest`,
		`{"files":[{"path":"a","type":"t","sri":"sha384-x"},{"path":"a","type":"t","sri":"sha384-x"}]}`: `manifest.json: a is listed twice`,
	} {
		_, err := Dir(folder(t, map[string]string{"manifest.json": content})).Manifest()
		if err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", content, err, want)
		}
	}
}
