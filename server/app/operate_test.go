package app_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/shared/wire"
)

// adminURL reads where the operators' listener is from the log.
func adminURL(t *testing.T, r *command.Running) string {
	t.Helper()
	r.Logs(t, `"msg":"listening for operators"`)
	match := regexp.MustCompile(`"msg":"listening for operators","address":"([^"]+)"`).FindStringSubmatch(r.Stderr.String())
	if match == nil {
		t.Fatalf("log %s", r.Stderr)
	}
	return "http://" + match[1] + "/"
}

// seen is what the test reads of status.json.
type seen struct {
	Sessions struct {
		Live int
		List []struct{ ID, Peer, Agent string }
	}
	Streams struct {
		Live int
		List []struct {
			Session, Target, State string
			Up, Down               int
		}
	}
	Refusals struct {
		Recent []struct{ Stage, Reason, Target string }
	}
	ScriptURL string
}

func TestOperators(t *testing.T) {
	r := command.Start(t, "--demo", "--admin", "127.0.0.1:0")
	admin := adminURL(t, r)
	page := command.Connect(t, r, strings.TrimSuffix(r.URL, "/"))
	port := command.DemoPort(t, r, "echo")
	stream, result := page.Dial(t, "127.0.0.1", port)
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	command.Say(t, stream, "hello")
	if _, result := page.Dial(t, "10.0.0.1", 80); result.Code != wire.Denied {
		t.Fatalf("%+v", result)
	}
	command.Fetch(t, r.URL+"v1/connect") // no WebSocket

	_, text := command.Fetch(t, admin+"status.json")
	var status seen
	if err := json.Unmarshal([]byte(text), &status); err != nil {
		t.Fatal(err)
	}
	if s := status.Sessions; s.Live != 1 || s.List[0].Agent != "test" || !strings.HasPrefix(s.List[0].Peer, "127.0.0.1:") {
		t.Errorf("%s", text)
	}
	s := status.Streams // the refused one may still be about to go
	if s.Live < 1 || s.List[0].State != "open" || s.List[0].Up != 5 || s.List[0].Down != 5 || s.List[0].Session != status.Sessions.List[0].ID {
		t.Errorf("%s", text)
	}
	if got := status.Refusals.Recent; len(got) != 2 || got[0].Stage != "upgrade" || got[0].Reason != "not_websocket" || got[1].Reason != "denied" || got[1].Target != "10.0.0.1:80" {
		t.Errorf("%+v", got)
	}
	if status.ScriptURL != r.URL+"sockmux.js" {
		t.Errorf("script %s", status.ScriptURL)
	}

	_, metrics := command.Fetch(t, admin+"metrics")
	for _, want := range []string{
		`sockmux_sessions 1`, `sockmux_carriers 1`, `sockmux_sessions_opened_total 1`, `sockmux_stream_opens_total{code="ok",kind="tcp"} 1`, `sockmux_stream_opens_total{code="denied",kind="tcp"} 1`,
		`sockmux_stream_bytes_total{direction="up"} 5`, `sockmux_refusals_total{reason="denied",stage="stream"} 1`, `sockmux_refusals_total{reason="not_websocket",stage="upgrade"} 1`,
		`sockmux_dial_duration_seconds_count{outcome="ok"} 1`, `sockmux_limit_refusals_total{limit="streams"} 0`,
	} {
		if !strings.Contains(metrics, "\n"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for path, want := range map[string]string{"": "sockmux status", "readyz": "ok\n", "healthz": "ok\n", "debug/pprof/cmdline": "app.test"} {
		if code, body := command.Fetch(t, admin+path); code != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	// None of it is where browsers arrive.
	for _, path := range []string{"metrics", "status.json", "debug/pprof/"} {
		if code, _ := command.Fetch(t, r.URL+path); code != 404 {
			t.Errorf("the public listener answers %d at %s", code, path)
		}
	}
}
