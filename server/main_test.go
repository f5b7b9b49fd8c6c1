package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a server in this process.
type running struct {
	url    string // as printed
	line   string // the whole line
	stderr *servertest.Log
	ask    context.CancelFunc // asks for the end
	code   <-chan int
}

// start runs the command on a free port until the test ends.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stdout, printed := io.Pipe()
	r := &running{stderr: new(servertest.Log), ask: cancel}
	code := make(chan int, 1)
	r.code = code
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		code <- run(ctx, append([]string{"--listen", "127.0.0.1:0"}, args...), nil, printed, r.stderr)
		printed.Close()
	}()
	t.Cleanup(func() {
		cancel()
		stdout.Close()
		<-ended
		http.DefaultClient.CloseIdleConnections()
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no line on stdout: %v, exit code %d, stderr:\n%s", err, <-code, r.stderr)
	}
	r.line = strings.TrimSuffix(line, "\n")
	_, r.url, _ = strings.Cut(r.line, ": ")
	return r
}

// logs waits until the log has the text: lines are written by a goroutine of their own.
func (r *running) logs(t *testing.T, text string) {
	t.Helper()
	servertest.Eventually(t, 20*time.Second, "the log has "+text, func() bool { return strings.Contains(r.stderr.String(), text) })
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// buildFolder is what a build leaves behind, with one file.
func buildFolder(t *testing.T) string {
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

func TestServe(t *testing.T) {
	r := start(t, "--prefix", "/sockmux/", "--assets-dir", buildFolder(t))
	if !regexp.MustCompile(`^sockmux \S+: http://127\.0\.0\.1:[1-9]\d*/sockmux/$`).MatchString(r.line) {
		t.Errorf("printed %q", r.line)
	}
	for path, want := range map[string]string{"": "200 the page", "healthz": "200 ok\n", "readyz": "200 ok\n", "demo.json": "404 no demo services: start the server with --demo\n"} {
		status, body := fetch(t, r.url+path)
		if got := fmt.Sprint(status, " ", body); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	r.ask()
	if code := <-r.code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	wantLog(t, r.stderr.String(), "listening", "draining", "ended")
	if response, err := http.Get(r.url); err == nil { // it may be another's by now
		defer response.Body.Close()
		if body, _ := io.ReadAll(response.Body); string(body) == "the page" {
			t.Error("the port is still open")
		}
	}
}

// wantLog checks that the log is JSON and has these messages in this order, perhaps with others between them.
func wantLog(t *testing.T, log string, messages ...string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry struct {
			Message string `json:"msg"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("%q: %v", line, err)
		}
		if len(messages) > 0 && entry.Message == messages[0] {
			messages = messages[1:]
		}
	}
	if len(messages) > 0 {
		t.Errorf("%q is missing in the log\n%s", messages, log)
	}
}

func TestDemoServices(t *testing.T) {
	r := start(t, "--demo")
	status, body := fetch(t, r.url+"demo.json")
	var services []struct {
		Name, Description string
		Port              int
	}
	if err := json.Unmarshal([]byte(body), &services); err != nil || status != 200 || len(services) == 0 {
		t.Fatalf("status %d, error %v, %s", status, err, body)
	}
	for _, s := range services {
		if s.Name == "" || s.Description == "" || s.Port < 1 {
			t.Errorf("%+v", s)
		}
	}
}

// command runs the command to its end.
func command(args, environment []string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), args, environment, &out, &err)
	return code, out.String(), err.String()
}

func TestUsage(t *testing.T) {
	const beyond = ` can be reached from other machines and nobody authenticates: say --token-file, listen on 127.0.0.1 behind a proxy that authenticates, or say --insecure-no-auth`
	for _, test := range []struct {
		args, environment, want string
	}{
		{"--listen 0.0.0.0:0", "", `sockmux: --listen: "0.0.0.0:0"` + beyond + "\n"},
		{"--listen :0", "", `sockmux: --listen: ":0"` + beyond + "\n"},
		{"", "SOCKMUX_LISTEN=[::]:0", `sockmux: SOCKMUX_LISTEN: "[::]:0"` + beyond + "\n"},
		{"--lisen :0", "", "sockmux: --lisen: no such flag: did you mean --listen?\n"},
		{"--log-level loud --log-format xml", "", "sockmux: --log-level: \"loud\" is not known: want debug, info, warn or error\nsockmux: --log-format: \"xml\" is not known: want auto, text or json\n"},
		{"--check-config --grace 1", "", "sockmux: --grace: \"1\" is not a time: want a time from 100ms to 24h, such as 500ms, 30s or 2m, or 0 for not at all\n"},
	} {
		code, stdout, stderr := command(strings.Fields(test.args), strings.Fields(test.environment))
		if code != 64 || stdout != "" || stderr != test.want {
			t.Errorf("%s %s: exit code %d, stdout %q, stderr\n%s\nwant\n%s", test.args, test.environment, code, stdout, stderr, test.want)
		}
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()
	code, stdout, stderr := command([]string{"--listen", address, "--assets-dir", buildFolder(t), "--log-level", "error"}, nil)
	if want := "sockmux: listen tcp " + address + ": bind: address already in use\n"; code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit code %d, stdout %q, stderr %q, want %q", code, stdout, stderr, want)
	}
}

func TestModes(t *testing.T) {
	if code, stdout, stderr := command([]string{"--help"}, nil); code != 0 || stdout != config.Help()+helpOfSubcommands() || stderr != "" {
		t.Errorf("--help: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, stderr := command([]string{"--version"}, nil); code != 0 || !regexp.MustCompile(`^sockmux \S+ go1\.\S+ \w+/\w+\n$`).MatchString(stdout) || stderr != "" {
		t.Errorf("--version: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	code, stdout, stderr := command([]string{"--check-config", "--allow-origin", "*"}, []string{"SOCKMUX_GRASE=1m"})
	const warnings = "sockmux: warning: SOCKMUX_GRASE is not a setting of sockmux and is ignored: did you mean SOCKMUX_GRACE?\n" +
		"sockmux: warning: --allow-origin: * lets every website that a user visits open connections from this machine\n"
	if code != 0 || stdout != "the configuration is good\n" || stderr != warnings {
		t.Errorf("--check-config: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, _ := command([]string{"--print-config", "--allow", "a.example:1"}, []string{"SOCKMUX_GRACE=1m"}); code != 0 || !strings.Contains(stdout, "- allow: a.example:1\n") || !strings.Contains(stdout, "  grace: 1m\n") {
		t.Errorf("--print-config: exit code %d, stdout %q", code, stdout)
	}
}
