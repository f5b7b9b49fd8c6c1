package servertest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session/auth"
)

// Folder is the operator's Folder of a test.
type Folder struct {
	t    *testing.T
	Path string
}

func NewFolder(t *testing.T) Folder { return Folder{t, t.TempDir()} }

func (f Folder) File(name string) string { return filepath.Join(f.Path, name) }

// put writes a file anew, with a time of its own, so that the change is seen whatever the
// clock of the file system.
func (f Folder) Put(name, content string) {
	f.t.Helper()
	if err := os.WriteFile(f.File(name), []byte(content), 0o600); err != nil {
		f.t.Fatal(err)
	}
	puts++
	stamp := time.Now().Add(time.Duration(puts) * time.Second)
	if err := os.Chtimes(f.File(name), stamp, stamp); err != nil {
		f.t.Fatal(err)
	}
}

var puts int

// newToken returns a token and its line in the file.
func NewToken(t *testing.T, name, policy string) (token, line string) {
	t.Helper()
	token = auth.NewToken()
	line, err := auth.Line(name, token, policy, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return token, line + "\n"
}

// BuildFolder is what a build leaves behind, with one file.
func BuildFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"playground/index.html": "the page",
		"manifest.json":         `{"version":"v1","files":[{"path":"playground/index.html","type":"text/html; charset=utf-8","sri":"sha384-x"}]}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
