package docs_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestWorkspace: `go run ./examples/http` works at the root, and go.work changes no version of
// what the server is built from.
func TestWorkspace(t *testing.T) {
	list := func(env string, args ...string) string {
		t.Helper()
		c := exec.Command("go", append([]string{"list"}, args...)...)
		c.Dir, c.Env = root, append(os.Environ(), "GOFLAGS=", env)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", env, strings.Join(c.Args, " "), err, out)
		}
		return string(out)
	}
	const with, without = "GOWORK=", "GOWORK=off"
	modules := []string{"-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "./cmd/sockmux"}
	if mixed, own := list(with, modules...), list(without, modules...); mixed != own {
		t.Errorf("with go.work the server is built from\n%s\nwithout it from\n%s\nmake examples/go.mod require the same versions", mixed, own)
	}
	examples := strings.Fields(list(with, "-deps", "-f", "{{if eq .Name \"main\"}}{{.ImportPath}}{{end}}", "./examples/..."))
	for _, name := range []string{"native", "http", "ssh", "pgx", "grpc", "yamux-go"} {
		if path := "github.com/sockmux/sockmux/examples/" + name; !strings.Contains(" "+strings.Join(examples, " ")+" ", " "+path+" ") {
			t.Errorf("%s is not among the programs of ./examples/...: %s", path, examples)
		}
	}
}
