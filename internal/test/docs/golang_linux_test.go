package docs_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// golang compiles a block, which is the body of a function with a context.
func (w *world) golang(b block) {
	w.compile(b, "go", "build", "-o", filepath.Join(w.dir, "program"))
}

// compile runs a command that builds the block as a program. The program is in no folder of the
// project's: an overlay of the go command puts it there.
func (w *world) compile(b block, command ...string) {
	w.Helper()
	program := "package main\n\nimport (\n\"context\"\n\"os\"\n\n\"github.com/sockmux/sockmux\"\n)\n\n" +
		"func main() { _ = run(context.Background()) }\n\nfunc run(ctx context.Context) error {\n" + b.text() +
		"\nif err != nil {\nreturn err\n}\nreturn conn.Close()\n}\n"
	w.write("block.go", program)
	const folder = "internal/test/docs/program"
	top, err := filepath.Abs(root)
	if err != nil {
		w.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(top, folder, "main.go"): filepath.Join(w.dir, "block.go"),
	}})
	if err != nil {
		w.Fatal(err)
	}
	w.write("overlay.json", string(overlay))
	command = append(command, "-overlay", filepath.Join(w.dir, "overlay.json"), "./"+folder)
	c := exec.Command("env", command...)
	c.Dir = top
	c.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false") // no work tree of git is needed
	if out, err := c.CombinedOutput(); err != nil {
		w.Errorf("%s: %v\n%s\n%s", b.place, err, out, program)
	}
}

// build runs a line that builds the program in the current folder, which is the first Go block of
// docs/GO.md.
func (w *world) build(line string) {
	w.Helper()
	words := strings.Fields(line)
	if words[len(words)-1] != "." {
		w.Fatalf("%s: builds not the current folder", line)
	}
	words = words[:len(words)-1]
	for i, word := range words {
		if word == "-o" {
			words[i+1] = filepath.Join(w.dir, words[i+1])
		}
	}
	for _, b := range blocks(w.T, "docs/GO.md") {
		if b.language == "go" {
			w.compile(b, words...)
			return
		}
	}
	w.Fatal("docs/GO.md has no Go block")
}

// proxyCommand runs the ProxyCommand of a line of ssh(1) as ssh does, with a target that answers.
func (w *world) proxyCommand(line string) {
	w.Helper()
	m := regexp.MustCompile(`'ProxyCommand=(.*?)'`).FindStringSubmatch(line)
	if m == nil {
		w.Fatalf("%s: no ProxyCommand", line)
	}
	w.during("sockmux --allow 127.0.0.1", nil, func(url string) {
		address := strings.Trim(strings.TrimPrefix(url, "http://"), "/")
		c := w.command(strings.NewReplacer("%h:%p", address, "https://tunnel.example.org/", url).Replace(m[1]))
		c.Stdin = strings.NewReader("GET /healthz HTTP/1.0\r\n\r\n")
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), " 200 OK") {
			w.Errorf("%s: %v\n%s", m[1], err, out)
		}
	})
}
