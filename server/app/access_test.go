package app_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/shared/wire"
)

// One line for each stream, with who, where to, how it ended, how much and how long; and
// nothing of what it carried.
func TestAccessLine(t *testing.T) {
	r := command.Start(t, "--demo")
	page := command.Connect(t, r, strings.TrimSuffix(r.URL, "/"))
	stream, result := page.Dial(t, "demo.test", command.DemoPort(t, r, "echo"))
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	const secret = "the password is swordfish"
	command.Say(t, stream, secret)
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	page.Close()
	r.Ask()
	if code := <-r.Code; code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if strings.Contains(r.Stderr.String(), "swordfish") {
		t.Errorf("the log has what was carried:\n%s", r.Stderr)
	}
	var lines []map[string]any
	for text := range strings.Lines(r.Stderr.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if line["msg"] == "stream" {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		t.Fatalf("%d lines for one stream:\n%s", len(lines), r.Stderr)
	}
	line := lines[0]
	for key, want := range map[string]any{"level": "INFO", "identity": "anonymous", "up": float64(len(secret)), "down": float64(len(secret))} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
	for key, prefix := range map[string]string{"session": "", "peer": "127.0.0.1:", "target": "demo.test:", "remote": "127.0.0.1:", "code": ""} {
		if text, ok := line[key].(string); !ok || text == "" || !strings.HasPrefix(text, prefix) {
			t.Errorf("%s is %v", key, line[key])
		}
	}
	for _, key := range []string{"dial", "duration"} { // in seconds
		if took, ok := line[key].(float64); !ok || took <= 0 || took > 60 {
			t.Errorf("%s is %v", key, line[key])
		}
	}
}
