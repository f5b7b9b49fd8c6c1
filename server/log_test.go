package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// One line for each stream, with who, where to, how it ended, how much and how long; and nothing of what it carried.
func TestAccessLine(t *testing.T) {
	r := start(t, "--demo")
	page := connect(t, r, strings.TrimSuffix(r.url, "/"))
	stream, result := page.open(t, "demo.test", demoPort(t, r, "echo"))
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	const secret = "the password is swordfish"
	say(t, stream, secret)
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	page.Close()
	r.ask()
	if code := <-r.code; code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if strings.Contains(r.stderr.String(), "swordfish") {
		t.Errorf("the log has what was carried:\n%s", r.stderr)
	}
	var lines []map[string]any
	for text := range strings.Lines(r.stderr.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if line["msg"] == "stream" {
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 {
		t.Fatalf("%d lines for one stream:\n%s", len(lines), r.stderr)
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

func TestLogFormats(t *testing.T) {
	for format, want := range map[config.LogFormat]string{
		config.LogJSON: `"took":1.5`, config.LogAuto: `"took":1.5`, // what is not a terminal gets JSON
		config.LogText: "took=1.5s",
	} {
		out := new(servertest.Log)
		newLogger(&config.Config{LogFormat: format}, out, out).Info("done", "took", 1500*time.Millisecond)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, out)
		}
	}
}
