package proxies_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session/auth"
)

// example is a file of deploy/examples, and the flags that its first lines tell the
// operator to start the server with.
type example struct {
	text  string
	flags []string
}

func readExample(t *testing.T, name string) *example {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "examples", name))
	if err != nil {
		t.Fatal(err)
	}
	e := &example{text: string(content)}
	for line := range strings.Lines(e.text) {
		if command, found := strings.CutPrefix(line, "#   sockmux "); found {
			e.flags = strings.Fields(command)
			return e
		}
	}
	t.Fatalf("%s does not say how sockmux is started", name)
	return nil
}

// replace puts another text everywhere in place of one that must be there.
func (e *example) replace(t *testing.T, old, text string) {
	t.Helper()
	if !strings.Contains(e.text, old) {
		t.Fatalf("the example has no %q:\n%s", old, e.text)
	}
	e.text = strings.ReplaceAll(e.text, old, text)
}

// flag gives another value to a flag that must be there.
func (e *example) flag(t *testing.T, name, value string) {
	t.Helper()
	for i := range e.flags[:len(e.flags)-1] {
		if e.flags[i] == name {
			e.flags[i+1] = value
			return
		}
	}
	t.Fatalf("the example starts sockmux without %s: %q", name, e.flags)
}

// authenticate puts a token's line into the file of --token-file. It returns the token.
func (e *example) authenticate(t *testing.T, dir string) string {
	t.Helper()
	token := auth.NewToken()
	line, err := auth.Line("alice", token, "", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tokens")
	put(t, path, line+"\n")
	e.flag(t, "--token-file", path)
	return token
}

// prefix serves everything below another path than /sockmux/.
func (e *example) prefix(t *testing.T, prefix string) {
	t.Helper()
	e.flag(t, "--prefix", prefix)
	e.replace(t, " /sockmux/", " "+prefix)
}

// write puts the example into a file.
func (e *example) write(t *testing.T, path string) {
	t.Helper()
	put(t, path, e.text)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
