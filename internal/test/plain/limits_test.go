package plain_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

// tokens writes a file with a token of each name and returns them.
func tokens(t *testing.T, path string, names ...string) map[string]string {
	t.Helper()
	given, lines := make(map[string]string), ""
	for _, name := range names {
		given[name] = auth.NewToken()
		line, err := auth.Line(name, given[name], "", time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		lines += line + "\n"
	}
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return given
}

// closeCode reads until the WebSocket is closed, and returns the code and the reason.
func closeCode(t testing.TB, ws *websocket.Conn) (code websocket.StatusCode, reason string) {
	t.Helper()
	for {
		_, _, err := ws.Read(t.Context())
		var end websocket.CloseError
		if errors.As(err, &end) {
			return end.Code, end.Reason
		}
		if err != nil {
			t.Fatalf("the connection was lost without a close code: %v", err)
		}
	}
}

// TestCredentials takes a token from either header, and ends a session whose token was
// revoked.
func TestCredentials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	given := tokens(t, path, "alice", "bob")
	s := start(t, "--token-file", path)
	echo := product.Echo(t)
	for what, add := range map[string]func(*websocket.DialOptions){
		"Authorization": func(o *websocket.DialOptions) {
			o.HTTPHeader.Set("Authorization", "bearer "+given["alice"])
		},
		"subprotocol": func(o *websocket.DialOptions) {
			o.Subprotocols = append(o.Subprotocols, "sockmux.bearer."+base64.RawURLEncoding.EncodeToString([]byte(given["alice"])))
		},
	} {
		session, ws := dial(t, s, add)
		if got := ws.Subprotocol(); got != "yamux" {
			t.Errorf("%s: the server selected %q", what, got)
		}
		open(t, session, echo)
		s.WaitLog(`"identity":"alice"`)
	}
	for what, add := range map[string]func(*websocket.DialOptions){
		"no token":      nil,
		"a wrong token": func(o *websocket.DialOptions) { o.HTTPHeader.Set("Authorization", "Bearer "+auth.NewToken()) },
	} {
		ws, _, err := dialSocket(t, s, add)
		if err != nil {
			t.Fatal(err)
		}
		if code, reason := closeCode(t, ws); code != 4018 || reason == "" {
			t.Errorf("%s: closed with %d %q, want 4018", what, code, reason)
		}
	}
	revoked, _, err := dialSocket(t, s, func(o *websocket.DialOptions) { o.HTTPHeader.Set("Authorization", "Bearer "+given["bob"]) })
	if err != nil {
		t.Fatal(err)
	}
	s.WaitLog(`"identity":"bob"`)
	tokens(t, path, "alice") // and bob is gone
	s.Signal(syscall.SIGHUP)
	if code, reason := closeCode(t, revoked); code != 4019 || !strings.Contains(reason, "bob") {
		t.Errorf("closed with %d %q, want 4019", code, reason)
	}
}

// TestLimits holds a plain client to the limits of every client.
func TestLimits(t *testing.T) {
	s := start(t, "--max-streams", "2", "--max-sessions-per-client", "1", "--idle-timeout", "1s")
	quiet := product.Target(t, func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) }) // until the end
	session, _ := dial(t, s, nil)
	first, second := open(t, session, quiet), open(t, session, quiet)
	third, result := ask(t, session, product.Request(quiet))
	if result.Code != wire.Limit || !strings.Contains(result.Text, "2 streams") {
		t.Errorf("a third stream: %s %q", result.Code, result.Text)
	}
	_ = third.Close()
	ws, _, err := dialSocket(t, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if code, reason := closeCode(t, ws); code != 4007 || !strings.Contains(reason, "1 sessions") {
		t.Errorf("a second session: %d %q", code, reason)
	}
	if n := s.Metric(t, "sockmux_sessions"); n != 1 {
		t.Errorf("%v sessions in the metrics", n)
	}
	for _, stream := range []net.Conn{first, second} { // no byte for a second
		if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, yamux.ErrConnectionReset) {
			t.Errorf("an idle stream: %v, want a reset", err)
		}
	}
	open(t, session, quiet) // their places are free
}

// TestSessionEnds ends sessions that have no stream for too long, with a code.
func TestSessionEnds(t *testing.T) {
	s := start(t, "--session-idle-timeout", "500ms")
	ws, _, err := dialSocket(t, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if code, reason := closeCode(t, ws); code != 4010 || !strings.Contains(reason, "no socket") {
		t.Errorf("closed with %d %q, want 4010", code, reason)
	}
	s.WaitLog(`"session ended"`)
}

// TestStatus lists the session and its stream where operators look.
func TestStatus(t *testing.T) {
	s := start(t)
	echo := product.Echo(t)
	session, _ := dial(t, s, nil)
	stream := open(t, session, echo)
	if _, err := stream.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stream, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	page := s.Admin(t, "/status.json")
	for _, want := range []string{`"yamux"`, echo.String()} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in %s", want, page)
		}
	}
	servertest.Eventually(t, patience, "a round trip is known", func() bool {
		return strings.Contains(s.Admin(t, "/status.json"), `"rtt":`)
	})
}

// TestDrain lets streams end and opens none, then closes with a code.
func TestDrain(t *testing.T) {
	s := start(t, "--drain-timeout", "30s")
	echo := product.Echo(t)
	p := newPeer(t, s)
	p.send(p.request(1, echo))
	p.seen(data, 0, nil) // the result
	s.Signal(syscall.SIGTERM)
	s.WaitLog(`"msg":"draining"`)
	// A new stream is refused with a result. The drain begins behind its line in the log, so
	// some streams may be served before.
	for id, code := uint32(3), wire.OK; code == wire.OK; id += 2 {
		h := p.seen(data, 0, append(p.request(id, echo), frame(data, fin, id, 0)...))
		for h.stream != id {
			h = p.seen(data, 0, nil)
		}
		result, err := wire.DecodeResult(h.body[2:])
		if code = result.Code; err != nil || code != wire.OK && code != wire.Draining {
			t.Fatalf("stream %d: %+v, %v; want draining", id, result, err)
		}
	}
	// The open one goes on, and its end is the session's.
	h := p.seen(data, 0, frame(data, fin, 1, 5, []byte("still")...))
	for h.stream != 1 {
		h = p.seen(data, 0, nil) // the ends of others
	}
	if string(h.body) != "still" {
		t.Errorf("%q on stream 1", h.body)
	}
	for away := false; ; {
		h, err := p.next()
		away = away || h.kind == goAway
		if code := websocket.CloseStatus(err); code == 4020 && away {
			break
		} else if err != nil {
			t.Fatalf("%v, GoAway %t, want 4020 behind it", err, away)
		}
	}
	if code := s.Wait(); code != 0 {
		t.Errorf("the server ended with %d", code)
	}
}
