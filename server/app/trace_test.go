package app_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/app"
	"github.com/sockmux/sockmux/server/ops/tracing/tracetest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Of a trace that began elsewhere
// (https://www.w3.org/TR/trace-context/#traceparent-header): version, trace, span,
// sampled.
const (
	callerTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerSpan   = "00f067aa0ba902b7"
	callerParent = "00-" + callerTrace + "-" + callerSpan + "-01"
)

// tokenFile makes a file with the token of a client.
func tokenFile(t *testing.T, name, policy string) (path, token string) {
	t.Helper()
	f := servertest.NewFolder(t)
	token, line := servertest.NewToken(t, name, policy)
	f.Put("tokens", line)
	return f.File("tokens"), token
}

// wantAttributes checks that a span has these attributes, and no others but those named.
func wantAttributes(t *testing.T, s tracetest.Span, want map[string]string, others ...string) {
	t.Helper()
	got := maps.Clone(s.Attributes)
	for _, name := range others {
		if got[name] == "" {
			t.Errorf("%s: no %s", s.Name, name)
		}
		delete(got, name)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%s: attributes\n%v, want\n%v", s.Name, got, want)
	}
}

// steps are the spans below one, as NAME or NAME CODE.
func steps(c *tracetest.Collector, s tracetest.Span) string {
	var list []string
	for _, below := range c.Below(s) {
		list = append(list, strings.TrimSpace(below.Name+" "+below.Attributes["error.type"]))
	}
	return strings.Join(list, ", ")
}

// What a collector gets of a session with sockets that are served, denied, refused by the
// target, and too many.
func TestTraces(t *testing.T) {
	collector := tracetest.New(t)
	tokens, token := tokenFile(t, "alice", "")
	headers := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(headers, []byte("# the collector's\nAuthorization: Bearer s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := command.Start(t, "--demo", "--token-file", tokens, "--max-streams", "1", "--otlp-endpoint", collector.URL, "--otlp-headers", headers)
	page := command.ConnectWith(t, r, http.Header{"Traceparent": {callerParent}}, token)
	echo, refused := command.DemoPort(t, r, "echo"), command.DemoPort(t, r, "refused")

	open, result := page.Dial(t, "demo.test", echo)
	if result.Code != wire.OK {
		t.Fatalf("%+v", result)
	}
	command.Say(t, open, "payload")
	if stream, result := page.Dial(t, "192.0.2.1", 80); result.Code != wire.Limit {
		t.Fatalf("%+v", result)
	} else {
		stream.Close()
	}
	endStream(t, open)
	for _, target := range []struct {
		host string
		port uint16
		want wire.Code
	}{{"10.0.0.1", 80, wire.Denied}, {"127.0.0.1", refused, wire.Refused}} {
		stream, result := openFree(t, page, target.host, target.port)
		if result.Code != target.want {
			t.Fatalf("%s: %+v", target.host, result)
		}
		stream.Close()
	}
	command.Greet(t, r, nil, wire.Hello{Version: wire.Version, Token: "smx_wrong"})
	r.Finish(t)

	sessions, handshakes := collector.Named("session"), collector.Named("handshake")
	if len(sessions) != 2 || len(handshakes) != 2 {
		t.Fatalf("%d sessions, %d handshakes: %+v", len(sessions), len(handshakes), collector.Spans())
	}
	session := sessions[0]
	if session.Trace != callerTrace || session.Parent != callerSpan || session.Kind != "SPAN_KIND_SERVER" || session.Service != "sockmux" || session.ScopeVersion != app.Version() {
		t.Errorf("%+v", session)
	}
	who := map[string]string{"enduser.id": "alice", "sockmux.auth.method": "token", "sockmux.policy": "default", "client.address": "127.0.0.1"}
	of := func(more map[string]string) map[string]string {
		all := maps.Clone(who)
		maps.Copy(all, more)
		return all
	}
	wantAttributes(t, session, of(map[string]string{"sockmux.agent": "test", "error.type": "draining"}), "client.port", "sockmux.session")
	if below := collector.Below(session); len(below) != 1 || below[0].Name != "handshake" || below[0].Failed {
		t.Errorf("below the session: %+v", below)
	}
	if s := sessions[1]; s.Trace == callerTrace || s.Parent != "" || !s.Failed || s.Status != "unauthorized: the token is not known" {
		t.Errorf("%+v", s)
	}
	wantAttributes(t, sessions[1], map[string]string{"client.address": "127.0.0.1", "error.type": "unauthorized"}, "client.port")

	streams := make(map[string]tracetest.Span)
	for _, s := range collector.Named("stream") {
		if s.Parent != "" || s.Kind != "SPAN_KIND_CLIENT" || fmt.Sprint(s.Links) != "["+session.ID+"]" {
			t.Errorf("%+v", s)
		}
		// openFree may have asked for its targets before the server had room for them.
		if s.Attributes["error.type"] == "limit" && s.Attributes["server.address"] != "192.0.2.1" {
			continue
		}
		streams[s.Attributes["error.type"]] = s
	}
	if len(streams) != 4 {
		t.Fatalf("%d streams: %+v", len(streams), collector.Named("stream"))
	}
	port := func(n uint16) string { return strconv.Itoa(int(n)) }
	good := streams[""]
	wantAttributes(t, good, of(map[string]string{
		"network.transport": "tcp", "server.address": "demo.test", "server.port": port(echo), "network.peer.address": "127.0.0.1", "network.peer.port": port(echo),
		"sockmux.stream.bytes_up": "7", "sockmux.stream.bytes_down": "7",
	}), "client.port", "sockmux.session")
	if got := steps(collector, good); got != "policy, resolve, policy, dial" || good.Failed {
		t.Errorf("steps %s, %+v", got, good)
	}
	denied := streams["denied"]
	wantAttributes(t, denied, of(map[string]string{
		"network.transport": "tcp", "server.address": "10.0.0.1", "server.port": "80", "error.type": "denied",
		"sockmux.stream.bytes_up": "0", "sockmux.stream.bytes_down": "0",
	}), "client.port", "sockmux.session")
	if got := steps(collector, denied); !strings.HasSuffix(got, "policy denied") || strings.Contains(got, "dial") || !denied.Failed || !strings.Contains(denied.Status, "10.0.0.1") {
		t.Errorf("steps %s, %+v", got, denied)
	}
	closed := streams["refused"]
	wantAttributes(t, closed, of(map[string]string{
		"network.transport": "tcp", "server.address": "127.0.0.1", "server.port": port(refused), "network.peer.address": "127.0.0.1", "network.peer.port": port(refused),
		"sockmux.stream.bytes_up": "0", "sockmux.stream.bytes_down": "0", "error.type": "refused",
	}), "client.port", "sockmux.session")
	if got := steps(collector, closed); got != "policy, policy, dial refused" || !closed.Failed {
		t.Errorf("steps %s, %+v", got, closed)
	}
	if s := streams["limit"]; s.Attributes["sockmux.limit"] != "streams" || s.Attributes["server.port"] != "80" {
		t.Errorf("%+v", s)
	}

	for _, request := range collector.Requests() {
		if request.URL.Path != "/v1/traces" || request.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("%s with %v", request.URL, request.Header)
		}
	}
	for _, s := range collector.Spans() {
		if text := fmt.Sprintf("%+v", s); strings.Contains(text, "payload") || strings.Contains(text, token) {
			t.Errorf("a secret in %s", text)
		}
	}
}

// openFree opens a stream once the session has room for it: the server counts a stream
// for a moment longer than the page.
func openFree(t *testing.T, tn *command.Tunnel, host string, port uint16) (*mux.Stream, wire.Result) {
	t.Helper()
	for {
		stream, result := tn.Dial(t, host, port)
		if result.Code != wire.Limit {
			return stream, result
		}
		stream.Close()
	}
}

// endStream half-closes a stream, reads it to its end and closes it.
func endStream(t *testing.T, stream interface {
	io.ReadCloser
	CloseWrite() error
},
) {
	t.Helper()
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, stream); err != nil {
		t.Fatal(err)
	}
	stream.Close()
}

// Nothing is sent of what is not sampled, but for the trace of a caller who wants it.
func TestTraceSample(t *testing.T) {
	collector := tracetest.New(t)
	r := command.Start(t, "--demo", "--otlp-endpoint", collector.URL, "--trace-sample", "0")
	for _, parent := range []string{"", callerParent, "00-" + callerTrace + "-" + callerSpan + "-00"} {
		page := command.ConnectWith(t, r, http.Header{"Traceparent": {parent}}, "")
		stream, result := page.Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
		if result.Code != wire.OK {
			t.Fatalf("%+v", result)
		}
		endStream(t, stream)
	}
	r.Finish(t)
	if spans := collector.Spans(); len(spans) != 2 || spans[0].Trace != callerTrace || spans[1].Trace != callerTrace || len(collector.Named("session")) != 1 {
		t.Errorf("%+v", spans)
	}
}

// A collector that is away or refuses is a line in the log, and nothing to sockets.
func TestCollectorDown(t *testing.T) {
	nobody := "http://" + servertest.Refusing(t)
	refuses := tracetest.New(t)
	refuses.Answer(http.StatusForbidden)
	for endpoint, want := range map[string]string{nobody: "connection refused", refuses.URL: "the collector's own words"} {
		r := command.Start(t, "--demo", "--otlp-endpoint", endpoint, "--admin", "127.0.0.1:0")
		page := command.Connect(t, r, "")
		stream, result := page.Dial(t, "127.0.0.1", command.DemoPort(t, r, "echo"))
		if result.Code != wire.OK {
			t.Fatalf("%+v", result)
		}
		command.Say(t, stream, "hello")
		endStream(t, stream)
		if _, metrics := command.Fetch(t, adminURL(t, r)+"metrics"); !strings.Contains(metrics, "\nsockmux_trace_spans_total{outcome=\"sent\"} 0\n") {
			t.Error("no count of spans")
		}
		r.Finish(t)
		wantLog(t, r.Stderr.String(), "listening", "traces are not sent", "traces were lost")
		if log := r.Stderr.String(); !strings.Contains(log, want) || strings.Count(log, "traces are not sent") != 1 {
			t.Errorf("log %s", log)
		}
	}
}

// Without an endpoint nothing is traced.
func TestNoTraces(t *testing.T) {
	r := command.Start(t)
	command.ConnectWith(t, r, http.Header{"Traceparent": {callerParent}}, "")
	r.Finish(t)
	if log := r.Stderr.String(); strings.Contains(log, "trace") {
		t.Errorf("log %s", log)
	}
}
