package posix_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/server/session/auth"
)

// TestUpgrade refuses what is no program, with a sentence, and everything where it is off.
func TestUpgrade(t *testing.T) {
	off := product.Start(t)
	_, response, err := dialSocket(t, off, "", nil)
	refused(t, "off", response, err, 404, "--allow-posix")
	on := start(t)
	_, response, err = dialSocket(t, on, "", func(o *websocket.DialOptions) { o.HTTPHeader.Set("Origin", "https://evil.example") })
	refused(t, "another page", response, err, 403, "may not connect")
	for _, offered := range []string{"", "binary"} {
		ws, response, err := dialSocket(t, on, "", func(o *websocket.DialOptions) {
			if offered != "" {
				o.Subprotocols = []string{offered}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, chosen := response.Header["Sec-Websocket-Protocol"]; ws.Subprotocol() != offered || chosen != (offered != "") {
			t.Errorf("of %q the server selected %q", offered, ws.Subprotocol())
		}
	}
}

func refused(t *testing.T, what string, response *http.Response, err error, status int, says string) {
	t.Helper()
	if err == nil {
		t.Fatalf("%s: no error", what)
	}
	body, _ := io.ReadAll(response.Body) // what was read is compared
	if response.StatusCode != status || !strings.Contains(string(body), says) {
		t.Errorf("%s: %d %q, want %d with %q", what, response.StatusCode, body, status, says)
	}
}

// code returns the close code and the reason with which the connection ends.
func (p *program) code() (websocket.StatusCode, string) {
	p.t.Helper()
	servertest.Within(p.t, patience, "the end of the connection", p.ended)
	var end websocket.CloseError
	if !errors.As(p.err, &end) {
		p.t.Fatalf("the connection was lost without a close code: %v", p.err)
	}
	return end.Code, end.Reason
}

// TestCredentials takes a token from the URL, and ends a session whose token was revoked
// behind an answer to each call.
func TestCredentials(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	token := auth.NewToken()
	line, err := auth.Line("alice", token, "", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "--token-file", path)
	for _, query := range []string{"", "?access_token=" + auth.NewToken()} {
		if code, reason := runWith(t, s, query).code(); code != 4018 || reason == "" {
			t.Errorf("%q: closed with %d %q, want 4018", query, code, reason)
		}
	}
	p := runWith(t, s, "?x=1&access_token="+token)
	target, conns := hold(t)
	fd := p.connected(target)
	conn := servertest.Within(t, patience, "a connection", conns)
	s.WaitLog(`"identity":"alice"`)
	if log := strings.Join(s.Log(), "\n"); strings.Contains(log, token) {
		t.Error("the log has the token")
	}
	reading, writing := p.start(calls.Recv, words(fd, 1, 0)), p.start(calls.Getsockname, words(fd, 16))
	p.wait(writing)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Signal(syscall.SIGHUP)
	p.is("the call that waits", p.wait(reading), -1, eCONNABORTED, "")
	if code, reason := p.code(); code != 4019 || !strings.Contains(reason, "alice") {
		t.Errorf("closed with %d %q, want 4019", code, reason)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("the target reads %v, want a reset", err)
	}
}

// TestText ends the session of a client that sends text.
func TestText(t *testing.T) {
	p := run(t, start(t))
	if err := p.ws.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.code(); code != websocket.StatusUnsupportedData {
		t.Errorf("closed with %d", code)
	}
}

// TestEnds delivers what send has taken, whichever way the program ends. What it has taken in
// part never looks complete.
func TestEnds(t *testing.T) {
	s := start(t)
	target, conns := hold(t)
	for _, how := range []string{"cut", "closed"} {
		p := run(t, s)
		whole := p.connected(target)
		first := servertest.Within(t, patience, "a connection", conns)
		part := p.connected(target)
		second := servertest.Within(t, patience, "a connection", conns)
		data := bytes.Repeat([]byte("0123456789"), 20_000)
		p.is("send", p.send(whole, 0, data), int32(len(data)), 0, "")
		for p.send(part, dontWait, make([]byte, 1<<20)).ret > 0 { // until nothing more is taken
		}
		p.start(calls.Send, words(part, 1<<20, 0), make([]byte, 1<<20))
		p.start(calls.Recv, words(whole, 1, 0))
		p.must(calls.Socket, words(2, 1, 0)) // behind them
		if how == "cut" {
			_ = p.ws.CloseNow() // there is no more to say
		} else {
			_ = p.ws.Close(websocket.StatusNormalClosure, "") // likewise
		}
		if got, err := io.ReadAll(first); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes came, %v", how, len(got), err)
		}
		if n, err := io.Copy(io.Discard, second); err == nil {
			t.Errorf("%s: %d bytes look complete", how, n)
		}
	}
	for deadline := time.Now().Add(patience); s.Metric(t, "sockmux_sessions") > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the sessions do not end")
		}
	}
}

// TestDrain answers what waits, then says why.
func TestDrain(t *testing.T) {
	s := start(t, "--drain-timeout", "500ms")
	target, conns := hold(t)
	p := run(t, s)
	fd := p.connected(target)
	servertest.Within(t, patience, "a connection", conns)
	reading := p.start(calls.Recv, words(fd, 1, 0))
	p.must(calls.Socket, words(2, 1, 0)) // behind it
	s.Signal(syscall.SIGTERM)
	s.WaitLog("draining")
	p.is("the recv", p.wait(reading), -1, eCONNABORTED, "")
	if code, _ := p.code(); code != 4020 {
		t.Errorf("closed with %d", code)
	}
}

// TestSilence ends the session of a program whose connection is dead, and not that of one
// that only waits.
func TestSilence(t *testing.T) {
	s := start(t, "--keepalive", "1s")
	target, conns := hold(t)
	alive := run(t, s)
	fd := alive.connected(target)
	conn := servertest.Within(t, patience, "a connection", conns)
	reading := alive.start(calls.Recv, words(fd, 1, 0))
	if _, _, err := dialSocket(t, s, "", nil); err != nil { // it reads nothing, so it answers no ping
		t.Fatal(err)
	}
	s.WaitLog("gave no sign of life")
	if _, err := conn.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	alive.is("the other one", alive.wait(reading), 1, 0, "x")
}

// TestLimits has bounds for sockets and for calls that wait. What is over makes room.
func TestLimits(t *testing.T) {
	s := start(t, "--max-streams", "3")
	p := run(t, s)
	target, conns := hold(t)
	var fds []int32
	for range 3 {
		fds = append(fds, p.connected(target))
	}
	fourth := p.socket(2, 1)
	p.is("a fourth stream", p.call(calls.Connect, words(fourth), address(target)), -1, eMFILE, "")
	p.is("close", p.call(calls.Shutdown, words(fds[0], 2)), 0, 0, "")
	first := servertest.Within(t, patience, "a connection", conns)
	_ = first.Close()
	for deadline := time.Now().Add(patience); p.call(calls.Connect, words(fourth), address(target)).ret < 0; {
		if time.Now().After(deadline) {
			t.Fatal("there is no room behind a close")
		}
	}
	second := servertest.Within(t, patience, "a connection", conns)
	p.is("SHUT_WR", p.call(calls.Shutdown, words(fds[1], 1)), 0, 0, "")
	_ = second.Close()
	p.is("the end", p.recv(fds[1], 1, 0), 0, 0, "") // both directions are over, and close() does not come
	seen := make(map[int32]bool)
	for n := 0; ; n++ {
		r := p.call(calls.Socket, words(2, 1, 0))
		if r.ret < 0 {
			p.is("one more socket", r, -1, eMFILE, "")
			if n != 254 { // three are connected, or were; one of these made room
				t.Errorf("%d sockets", n)
			}
			break
		}
		if seen[r.ret] {
			t.Errorf("handle %d twice", r.ret)
		}
		seen[r.ret] = true
	}
	for fd := range seen {
		p.is("close", p.call(calls.Shutdown, words(fd, 2)), -1, eNOTCONN, "") // and it is closed all the same
	}
	p.socket(2, 1)
	var waiting []<-chan result
	for range 1024 {
		waiting = append(waiting, p.start(calls.Recv, words(fds[2], 1, 0)))
	}
	p.is("a call too many", p.recv(fds[2], 1, 0), -1, eNOBUFS, "")
	p.is("one that does not wait", p.call(calls.Getpeername, words(fds[2], 0)), 0, 0, string(words(16)))
	third := servertest.Within(t, patience, "a connection", conns)
	if _, err := third.Write(make([]byte, 1024)); err != nil {
		t.Fatal(err)
	}
	for _, call := range waiting {
		p.is("a recv", p.wait(call), 1, 0, "\x00")
	}
}

// TestNamePolicy connects to what the policy allows by its name alone.
func TestNamePolicy(t *testing.T) {
	port := product.Echo(t)
	dns := product.DNS{Zone: product.Zone{"good.test.": {"A 127.0.0.1"}, "bad.test.": {"A 127.0.0.1"}}}.Serve(t, "127.0.0.1:0")
	s := product.Start(t, "--allow-posix", "--dns", dns, "--allow", "good.test")
	p := run(t, s)
	lookup := func(node string) result {
		fields := make([]byte, 2048+128)
		copy(fields, node)
		return p.call(calls.Getaddrinfo, fields, words(1, 0, 2, 1, 0))
	}
	fd := p.socket(2, 1)
	p.is("before the lookup", p.call(calls.Connect, words(fd), address(port)), -1, eACCES, "")
	if r := lookup("bad.test"); r.ret != -11 || r.errno != eACCES {
		t.Errorf("a name that is denied: %d, errno %d", r.ret, r.errno)
	}
	p.is("behind another lookup", p.call(calls.Connect, words(fd), address(port)), -1, eACCES, "")
	if r := lookup("good.test"); r.ret != 0 {
		t.Fatalf("%d, errno %d", r.ret, r.errno)
	}
	p.is("behind the lookup", p.call(calls.Connect, words(fd), address(port)), 0, 0, "")
	p.is("and again", p.call(calls.Connect, words(p.socket(2, 1)), address(port)), 0, 0, "")
}
