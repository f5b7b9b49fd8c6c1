package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestServe(t *testing.T) {
	r := command.Start(t, "--prefix", "/sockmux/", "--assets-dir", servertest.BuildFolder(t))
	if !regexp.MustCompile(`^sockmux \S+: http://127\.0\.0\.1:[1-9]\d*/sockmux/$`).MatchString(r.Line) {
		t.Errorf("printed %q", r.Line)
	}
	for path, want := range map[string]string{"": "200 the page", "healthz": "200 ok\n", "readyz": "200 ok\n", "demo.json": "404 no demo services: start the server with --demo\n"} {
		status, body := command.Fetch(t, r.URL+path)
		if got := fmt.Sprint(status, " ", body); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	r.Ask()
	if code := <-r.Code; code != 0 {
		t.Errorf("exit code %d", code)
	}
	wantLog(t, r.Stderr.String(), "listening", "draining", "ended")
	if response, err := http.Get(r.URL); err == nil { // it may be another's by now
		defer response.Body.Close()
		if body, _ := io.ReadAll(response.Body); string(body) == "the page" {
			t.Error("the port is still open")
		}
	}
}

// wantLog checks that the log is JSON and has these messages in this order, perhaps with
// others between them.
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
	r := command.Start(t, "--demo")
	status, body := command.Fetch(t, r.URL+"demo.json")
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
