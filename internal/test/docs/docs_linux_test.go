package docs_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/namespace"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/session/auth"
)

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// foreign are flags of other programs that the documents name.
var foreign = []string{"check", "ignore-missing", "closure", "js-library", "token"}

// Each flag and each target of make that a document names exists.
func TestNames(t *testing.T) {
	w := &world{T: t}
	known := slices.Concat(foreign, []string{"policy", "expires", "as", "server", "token-from", "ca", "cert", "key"})
	for _, flag := range config.Flags() {
		known = append(known, flag.Name)
	}
	code := regexp.MustCompile("`[^`\n]+`")
	flags := regexp.MustCompile(`(?:^|[ \x60\[(])--([a-z][a-z0-9-]*)`)
	for _, document := range documents {
		content, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Fatal(err)
		}
		for _, span := range code.FindAllString(string(content), -1) {
			for _, m := range flags.FindAllStringSubmatch(span, -1) {
				if !slices.Contains(known, m[1]) {
					t.Errorf("%s: %s: no such flag: --%s", document, span, m[1])
				}
			}
			if words := strings.Fields(strings.Trim(span, "`")); len(words) > 1 && words[0] == "make" {
				w.target(words[1])
			}
		}
	}
}

// inChromium are the languages whose blocks e2e/docs.test.js runs.
// R is run by e2e/webr-reasons.test.js, C by e2e/docs-c.test.js.
var inChromium = []string{"html", "js", "r", "c"}

// runners runs a block of a language. Each runs in namespaces of its own, where the addresses
// and ports of the documents are free.
var runners = map[string]func(*world, block){
	"sh":              (*world).shell,
	"console":         (*world).console,
	"yaml":            (*world).yaml,
	"yaml kubernetes": (*world).kubernetes,
	"ini":             (*world).environment,
	"http":            (*world).headers,
	"text":            (*world).prose,
	"text log":        (*world).log,
	"go":              (*world).golang,
}

func TestSnippets(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		namespace.Replace(t, "/etc/hosts", "127.0.0.1 localhost\n10.1.2.3 db.example.org\n")
		for _, document := range documents {
			for _, b := range blocks(t, document) {
				run, known := runners[b.language]
				switch {
				case known:
					t.Run(b.place, func(t *testing.T) { run(newWorld(t), b) })
				case !slices.Contains(inChromium, b.language):
					t.Errorf("%s: no runner knows %q", b.place, b.language)
				}
			}
		}
	})
}

// world is a machine as the documents have it: the files that they name, in a folder that is
// the working directory and stands for /etc as well.
type world struct {
	*testing.T
	dir string
}

func newWorld(t *testing.T) *world {
	w := &world{t, t.TempDir()}
	binary, err := product.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"bin/sockmux", "path/sockmux"} {
		path := filepath.Join(w.dir, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(binary, path); err != nil {
			t.Fatal(err)
		}
	}
	token := auth.NewToken()
	line, err := auth.Line("alice", token, "staff", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	anyClient, err := auth.Line("alice", token, "", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	cert, key := certificate(t)
	for name, text := range map[string]string{
		"token": token + "\n", "tokens": anyClient + "\n", "tunnel.pem": cert, "tunnel.key": key,
		"etc/sockmux/tokens": line + "\n", "etc/sockmux/cert.pem": cert, "etc/sockmux/key.pem": key,
		"etc/sockmux/otlp": "Authorization: Bearer secret\n",
		"etc/sockmux.yaml": "token-file: " + w.dir + "/etc/sockmux/tokens\npolicies:\n  staff:\n    rules:\n      - allow: 10.1.0.0/16:5432\n",
	} {
		w.write(name, text)
	}
	return w
}

func (w *world) write(name, text string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// here replaces /etc by the world's own.
func (w *world) here(text string) string {
	return strings.ReplaceAll(text, "/etc/sockmux", w.dir+"/etc/sockmux")
}

// command is a line for the shell.
func (w *world) command(line string, env ...string) *exec.Cmd {
	c := exec.CommandContext(w.Context(), "sh", "-c", w.here(line))
	c.Dir = w.dir
	c.Env = append([]string{"PATH=" + w.dir + "/path:" + os.Getenv("PATH"), "HOME=" + w.dir}, env...)
	return c
}

// ourFlags begin a command that serves.
var ourFlags = regexp.MustCompile(`^(bin/)?sockmux( --|$)`)

// shell runs each line of a block.
func (w *world) shell(b block) {
	for _, line := range commands(b) {
		words := strings.Fields(line)
		switch first := words[0]; {
		case ourFlags.MatchString(line), strings.HasPrefix(line, "sockmux socks "), strings.HasPrefix(line, "sockmux forward "):
			w.serve(line)
		case first == "sockmux" || first == "bin/sockmux":
			if out, err := w.command(line).CombinedOutput(); err != nil {
				w.Errorf("%s: %v\n%s", line, err, out)
			}
		case first == "docker":
			at := slices.Index(words[2:], "sockmux") // the image; a container's name is behind its flag
			for at >= 0 && words[2+at-1] == "--name" {
				at += 1 + slices.Index(words[2+at+1:], "sockmux")
			}
			if at < 0 {
				w.Errorf("%s: no image", line)
				continue
			}
			w.serve("sockmux " + strings.Join(words[2+at+1:], " "))
		case first == "make":
			w.target(words[1])
		case first == "node":
			w.exists(words[1])
		case strings.HasPrefix(line, "go run ./examples/"):
			w.exists(filepath.Join(words[2], "main.go")) // examples/internal/test runs it
		case strings.Contains(line, "go build"):
			w.build(line)
		case first == "ssh":
			w.proxyCommand(line)
		case first == "install":
			for _, source := range words[1:] {
				if strings.Contains(source, ".") {
					w.exists("deploy/" + source)
				}
			}
		case first == "systemctl":
			w.exists("deploy/systemd/" + words[len(words)-1] + ".service")
		case first == "editor":
		default:
			w.Errorf("%s: no runner knows %s", line, first)
		}
	}
}

func (w *world) exists(path string) {
	w.Helper()
	if _, err := os.Stat(filepath.Join(root, path)); err != nil {
		w.Error(err)
	}
}

// target wants a target that `make` lists.
func (w *world) target(name string) {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*", "*.mk"))
	if err != nil {
		w.Fatal(err)
	}
	deeper, err := filepath.Glob(filepath.Join(root, "*", "*", "*.mk"))
	if err != nil {
		w.Fatal(err)
	}
	for _, file := range append(append(files, deeper...), filepath.Join(root, "Makefile")) {
		content, err := os.ReadFile(file)
		if err != nil {
			w.Fatal(err)
		}
		if regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `:.*## `).Match(content) {
			return
		}
	}
	w.Errorf("make has no target %s", name)
}

// serve starts a server and wants it to say where it listens, and to end well.
func (w *world) serve(line string, env ...string) {
	w.Helper()
	w.during(line, env, func(string) {})
}

// during calls f with the server's URL while it runs.
func (w *world) during(line string, env []string, f func(url string)) {
	w.Helper()
	c := w.command("exec "+line, env...)
	var log strings.Builder
	c.Stderr = &log
	out, err := c.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := c.Start(); err != nil {
		w.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { _ = c.Process.Kill() }) // Wait tells
	defer hung.Stop()
	first, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		w.Errorf("%s: %v\n%s", line, c.Wait(), log.String())
		return
	}
	_, url, _ := strings.Cut(strings.TrimSpace(first), ": ")
	f(url)
	_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
	if strings.Contains(line, "--drain-delay") {
		end := time.AfterFunc(again, func() { _ = c.Process.Signal(syscall.SIGTERM) }) // likewise
		defer end.Stop()
	}
	if err := c.Wait(); err != nil {
		w.Errorf("%s: %v\n%s", line, err, log.String())
	}
}

// again is when a server that waits for --drain-delay is told to end at once.
const again = 500 * time.Millisecond

// console runs the command behind the dollar sign and compares what it prints.
func (w *world) console(b block) {
	line, found := strings.CutPrefix(b.lines[0], "$ ")
	if !found {
		w.Fatalf("%s: want a first line that begins with $", b.place)
	}
	if strings.Contains(b.text(), "max-stream:") {
		w.write("etc/sockmux.yaml", mistaken)
	}
	var want []string
	for _, line := range b.lines[1:] {
		line = regexp.QuoteMeta(w.here(withoutComment(line)))
		want = append(want, strings.ReplaceAll(line, `\.\.\.`, `\S+`))
	}
	out, _ := w.command(line).CombinedOutput() // some of the commands fail, as their output tells
	got := strings.TrimRight(string(out), "\n")
	if !regexp.MustCompile(`^` + strings.Join(want, "\n") + `$`).MatchString(got) {
		w.Errorf("%s: %s prints\n%s\nwant\n%s", b.place, line, got, strings.Join(b.lines[1:], "\n"))
	}
}

// mistaken is a file with the mistake of the documents in line 7.
const mistaken = "# 1\n# 2\n# 3\n# 4\n# 5\nlimits:\n  max-stream: 3\n"

// yaml checks a configuration file.
func (w *world) yaml(b block) {
	w.write("example.yaml", w.here(b.text()))
	if out, err := w.command("sockmux --check-config --config example.yaml").CombinedOutput(); err != nil {
		w.Errorf("%s: %v\n%s", b.place, err, out)
	}
	w.serve("sockmux --config example.yaml")
}

// kubernetes takes the arguments of a container's specification.
func (w *world) kubernetes(b block) {
	list := regexp.MustCompile(`args: \[(.*)\]`).FindStringSubmatch(b.text())
	if list == nil {
		w.Fatalf("%s: no args: [...]", b.place)
	}
	w.serve("sockmux " + strings.ReplaceAll(list[1], ",", ""))
}

// environment starts a server with variables.
func (w *world) environment(b block) {
	w.write("etc/sockmux/tokens", "# no policy of its own\n"+w.anyClient())
	var env []string
	for _, line := range b.lines {
		env = append(env, w.here(line))
	}
	w.serve("sockmux", env...)
}

// anyClient is the line of a token with the default policy.
func (w *world) anyClient() string {
	content, err := os.ReadFile(filepath.Join(w.dir, "tokens"))
	if err != nil {
		w.Fatal(err)
	}
	return string(content)
}

// headers are what the server's own page has.
func (w *world) headers(b block) {
	w.during("sockmux", nil, func(url string) {
		response, err := http.Get(url)
		if err != nil {
			w.Fatal(err)
		}
		_ = response.Body.Close() // only the header is wanted
		http.DefaultClient.CloseIdleConnections()
		for _, line := range b.lines {
			name, value, _ := strings.Cut(line, ": ")
			if got := response.Header.Get(name); got != value {
				w.Errorf("%s: %s is %q on the server's own page, want %q (is the page built? make assets)", b.place, name, got, value)
			}
		}
	})
}

// prose is a drawing, or a line that the script prints; neither is a command.
func (w *world) prose(b block) {
	for _, line := range b.lines {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if slices.Contains([]string{"sockmux", "bin/sockmux", "make", "$", "docker", "systemctl"}, words[0]) || strings.HasPrefix(words[0], "--") {
			w.Errorf("%s: %q is a command: its block's language is sh or console", b.place, line)
		}
		if said, found := strings.CutPrefix(line, "sockmux: "); found {
			w.printed(said)
		}
	}
}

// printed wants the first words of a message in the script's source.
func (w *world) printed(message string) {
	w.Helper()
	const compared = 4 // words
	want := strings.Join(strings.Fields(message)[:compared-1], " ")
	want = strings.TrimPrefix(want, "R's ") // the script puts in the name of the program that waits
	found := false
	err := filepath.WalkDir(filepath.Join(root, "js", "src"), func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		found = found || strings.Contains(string(content), want)
		return err
	})
	if err != nil || !found {
		w.Errorf("no file of js/src prints %q (error %v)", want, err)
	}
}

// log is what a reload with a mistake in the file logs.
func (w *world) log(b block) {
	w.write("etc/sockmux.yaml", "limits: {max-streams: 3}\n")
	c := w.command("exec sockmux --config /etc/sockmux.yaml --log-format text")
	out, err := c.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	log, err := c.StderrPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := c.Start(); err != nil {
		w.Fatal(err)
	}
	hung := time.AfterFunc(patience, func() { _ = c.Process.Kill() }) // reading ends
	defer hung.Stop()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		w.Fatal(err)
	}
	w.write("etc/sockmux.yaml", mistaken)
	if err := c.Process.Signal(syscall.SIGHUP); err != nil {
		w.Fatal(err)
	}
	lines := bufio.NewScanner(log)
	want := w.here(strings.TrimSpace(b.text()))
	found := false
	for !found && lines.Scan() {
		found = strings.HasSuffix(lines.Text(), want)
	}
	if !found {
		w.Errorf("%s: the log has no such line: %s", b.place, want)
	}
	_ = c.Process.Signal(syscall.SIGTERM) // it may have ended
	_, _ = io.Copy(io.Discard, log)
	if err := c.Wait(); err != nil {
		w.Errorf("%s: %v", b.place, err)
	}
}
