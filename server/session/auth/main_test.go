package auth

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write puts a file into a directory of the test.
func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	rewrite(t, path, content)
	return path
}

func rewrite(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wantError wants an error with exactly that text, which errors.As finds a *wire.Error in.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	var own *wire.Error
	switch {
	case err == nil:
		t.Fatalf("no error; want %s", want)
	case !errors.As(err, &own):
		t.Fatalf("%v is no *wire.Error", err)
	case own.Error() != want:
		t.Fatalf("got  %s\nwant %s", own, want)
	}
}

// random is a token for tests that is the same each time.
func random(n byte) string {
	token := []byte("smx_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG")
	token[len(token)-1] = 'A' + n
	return string(token)
}

func line(t *testing.T, name, token, policy string, expires time.Time) string {
	t.Helper()
	text, err := Line(name, token, policy, expires)
	if err != nil {
		t.Fatal(err)
	}
	return text + "\n"
}
