package relay

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/message"
	"github.com/sockmux/sockmux/shared/wire"
)

// socketServer serves WebSockets, and "/404" without one.
func socketServer(t *testing.T, start func(*httptest.Server), serve func(*websocket.Conn, *http.Request)) netip.AddrPort {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/404" {
			http.NotFound(w, r)
			return
		}
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"b"}, InsecureSkipVerify: true})
		if err != nil {
			t.Error(err)
			return
		}
		serve(ws, r)
		_ = ws.CloseNow() // it may be closed
	}))
	server.Config.ErrorLog = nil
	start(server)
	t.Cleanup(server.Close)
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}

// socketStream is a websocket stream that is being served.
type socketStream struct{ serving }

func serveWebSocket(t *testing.T, r *Relay, terms Terms, at netip.AddrPort, open message.Open) socketStream {
	t.Helper()
	s := socketStream{serveRequest(t, t.Context(), r, terms, wire.Request{Kind: wire.WebSocket, Host: wire.HostOf(at.Addr()), Port: at.Port()})}
	b, err := open.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	s.put(b)
	return s
}

func (s socketStream) put(b []byte) {
	s.t.Helper()
	if err := s.send(b); err != nil {
		s.t.Fatal(err)
	}
}

// all returns the records that come until the end, and how that is.
func (s socketStream) all() (records []message.Record, err error) {
	s.t.Helper()
	b, err := s.recvAll()
	for b = b[min(len(b), 1):]; len(b) > 0; { // no subprotocol
		size := int(b[1])<<24 | int(b[2])<<16 | int(b[3])<<8 | int(b[4])
		records = append(records, message.Record{Kind: message.Kind(b[0] & 0x7f), Last: b[0] > 0x7f, Payload: b[5 : 5+size]})
		b = b[5+size:]
	}
	return records, err
}

// until returns the records that come until the nth message is complete.
func (s socketStream) until(n int) (records []message.Record) {
	s.t.Helper()
	for n > 0 {
		head := s.recv(message.HeadSize)
		size := int(head[1])<<24 | int(head[2])<<16 | int(head[3])<<8 | int(head[4])
		r := message.Record{Kind: message.Kind(head[0] & 0x7f), Last: head[0] > 0x7f, Payload: []byte(s.recv(size))}
		records = append(records, r)
		if r.Last {
			n--
		}
	}
	return records
}

// joined is the messages of records, a line for each.
func joined(records []message.Record) string {
	var lines []string
	text := ""
	for _, r := range records {
		switch r.Kind {
		case message.Text:
			text = "text "
		case message.Binary:
			text = "binary "
		case message.Close:
			text = "close "
		}
		text += string(r.Payload)
		if r.Last {
			lines = append(lines, text)
		}
	}
	return strings.Join(lines, "\n")
}

func plainHTTP(s *httptest.Server) { s.Start() }

// TestWebSocket: messages keep their kinds and boundaries, and the close handshake its codes.
func TestWebSocket(t *testing.T) {
	asked := make(chan *http.Request, 1)
	closed := make(chan error, 1)
	at := socketServer(t, plainHTTP, func(ws *websocket.Conn, r *http.Request) {
		asked <- r
		ws.SetReadLimit(-1)
		for {
			kind, b, err := ws.Read(context.Background())
			if err != nil {
				closed <- err
				return
			}
			if err := ws.Write(context.Background(), kind, b); err != nil {
				t.Error(err)
			}
		}
	})
	s := serveWebSocket(t, local(t, Config{}), Terms{Client: events.Client{Origin: "https://page.example"}}, at, message.Open{Resource: "/x?y=%20z", Subprotocols: []string{"a", "b"}})
	long := strings.Repeat("long ", 100_000)
	s.put(message.Record{Kind: message.Text, Last: true, Payload: []byte("hi")}.Append(nil))
	s.put(message.Record{Kind: message.Binary, Last: true}.Append(nil))
	s.put(message.Record{Kind: message.Binary, Payload: []byte(long[:7])}.Append(nil))
	s.put(message.Record{Kind: message.More, Last: true, Payload: []byte(long[7:])}.Append(nil))
	if subprotocol := s.recv(2); subprotocol != "\x01b" {
		t.Errorf("opened with %q", subprotocol)
	}
	if records := s.until(3); joined(records) != "text hi\nbinary \nbinary "+long {
		t.Errorf("%.200q", joined(records))
	}
	s.put(message.CloseRecord(3001, "done").Append(nil))
	if records := s.until(1); joined(records) != "close \x0b\xb9done" {
		t.Errorf("%q", joined(records))
	}
	s.fin()
	if err := <-closed; websocket.CloseStatus(err) != 3001 {
		t.Errorf("the target got %v", err)
	}
	r := <-asked
	if r.URL.RequestURI() != "/x?y=%20z" || r.Host != at.String() || r.Header.Get("Origin") != "https://page.example" || r.UserAgent() != userAgent {
		t.Errorf("the target was asked for %s at %s with %v", r.URL.RequestURI(), r.Host, r.Header)
	}
	for name := range r.Header {
		if !strings.HasPrefix(name, "Sec-Websocket-") && name != "Origin" && name != "User-Agent" && name != "Connection" && name != "Upgrade" {
			t.Errorf("the target got the header %s", name)
		}
	}
}

// TestWebSocketFields: a client that gives the header fields itself gives all of them, and none of
// the handshake's own.
func TestWebSocketFields(t *testing.T) {
	asked := make(chan http.Header, 1)
	at := socketServer(t, plainHTTP, func(_ *websocket.Conn, r *http.Request) { asked <- r.Header })
	terms := Terms{Client: events.Client{Origin: "https://page.example"}}
	for _, test := range []struct {
		fields []message.Field
		want   map[string]string
	}{
		{nil, map[string]string{"User-Agent": userAgent, "Origin": ""}},
		{
			[]message.Field{
				{Name: "Authorization", Value: "Bearer x"},
				{Name: "user-agent", Value: "R"},
				{Name: "origin", Value: "https://other.example"},
				{Name: "X-A", Value: "1"},
				{Name: "X-A", Value: "2"},
			},
			map[string]string{"User-Agent": "R", "Origin": "https://other.example", "Authorization": "Bearer x", "X-A": "1|2"},
		},
	} {
		s := serveWebSocket(t, local(t, Config{}), terms, at, message.Open{Resource: "/", OwnFields: true, Fields: test.fields})
		_, _ = s.all() // the target ends it
		header := <-asked
		for name, want := range test.want {
			if got := strings.Join(header.Values(name), "|"); got != want {
				t.Errorf("%v: %s is %q, want %q", test.fields, name, got, want)
			}
		}
	}
}

// TestWebSocketEnds: each way in which a target ends a WebSocket, or a client.
func TestWebSocketEnds(t *testing.T) {
	r := local(t, Config{})
	root := message.Open{Resource: "/"}
	t.Run("the target closes", func(t *testing.T) {
		at := socketServer(t, plainHTTP, func(ws *websocket.Conn, _ *http.Request) {
			_ = ws.Write(context.Background(), websocket.MessageText, []byte("last")) // the client gets it
			_ = ws.Close(4000, "enough")                                              // likewise
		})
		s := serveWebSocket(t, r, r.defaults, at, root)
		if records, _ := s.all(); joined(records) != "text last\nclose \x0f\xa0enough" {
			t.Errorf("%q", joined(records))
		}
		s.fin()
	})
	t.Run("the target is gone", func(t *testing.T) {
		at := socketServer(t, plainHTTP, func(ws *websocket.Conn, _ *http.Request) { _ = ws.CloseNow() })
		s := serveWebSocket(t, r, r.defaults, at, root)
		if _, err := s.all(); codeOf(err) != wire.Reset {
			t.Errorf("%v", err)
		}
	})
	t.Run("the client goes away", func(t *testing.T) {
		closed := make(chan error, 1)
		at := socketServer(t, plainHTTP, func(ws *websocket.Conn, _ *http.Request) {
			_, _, err := ws.Read(context.Background())
			closed <- err
		})
		s := serveWebSocket(t, r, r.defaults, at, root)
		s.fin()
		if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("%v", err)
		}
		_, _ = s.all()
	})
	t.Run("the client resets", func(t *testing.T) {
		closed := make(chan error, 1)
		came := make(chan struct{})
		at := socketServer(t, plainHTTP, func(ws *websocket.Conn, _ *http.Request) {
			close(came)
			_, _, err := ws.Read(context.Background())
			closed <- err
		})
		s := serveWebSocket(t, r, r.defaults, at, root)
		<-came
		s.reset(wire.Aborted)
		if err := <-closed; websocket.CloseStatus(err) != -1 {
			t.Errorf("%v", err)
		}
	})
}

// TestWebSocketRefused: what is no WebSocket is told with a reason, and no word of the target's.
func TestWebSocketRefused(t *testing.T) {
	none := func(ws *websocket.Conn, _ *http.Request) { t.Error("a WebSocket") }
	at := socketServer(t, plainHTTP, none)
	secure := socketServer(t, func(s *httptest.Server) { s.StartTLS() }, none)
	mute := listen(t, func(conn *net.TCPConn) { _, _ = io.Copy(io.Discard, conn) })
	patient, hasty := local(t, Config{}), local(t, Config{DialTimeout: 300 * time.Millisecond})
	for _, test := range []struct {
		what string
		at   netip.AddrPort
		open string
		code wire.Code
		text string
	}{
		{"a status", at, "\x00\x07\x00\x00\x04/404", wire.Refused, "the target answered the WebSocket handshake with status 404"},
		{"a certificate", secure, "\x00\x04\x01\x00\x01/", wire.Refused, message.TextTLS + ": x509: "},
		{"no TLS", at, "\x00\x04\x01\x00\x01/", wire.Refused, message.TextTLS},
		{"no answer", mute.addr, "\x00\x04\x00\x00\x01/", wire.TimedOut, "the WebSocket handshake took too long"},
		{"no handshake", mute.addr, "\x00", wire.TimedOut, "no handshake came"},
		{"no record", mute.addr, "\x00\x04\x00\x00\x01x", wire.InvalidRequest, "slash"},
	} {
		t.Run(test.what, func(t *testing.T) {
			r := patient
			if test.code == wire.TimedOut {
				r = hasty
			}
			s := socketStream{serveRequest(t, t.Context(), r, r.defaults, wire.Request{Kind: wire.WebSocket, Host: wire.HostOf(test.at.Addr()), Port: test.at.Port()})}
			s.put([]byte(test.open))
			_, err := s.all()
			if codeOf(err) != test.code || !strings.Contains(fmt.Sprint(err), test.text) {
				t.Errorf("%v, want %v: %s", err, test.code, test.text)
			}
		})
	}
}

// TestWebSocketIsFreed: a WebSocket that its target has dropped holds no memory. One of the library
// is in a cycle with a finalizer, so it is collected only if it was closed.
func TestWebSocketIsFreed(t *testing.T) {
	at := socketServer(t, plainHTTP, func(ws *websocket.Conn, _ *http.Request) { _ = ws.CloseNow() })
	r := local(t, Config{})
	heap := func() uint64 {
		var stats runtime.MemStats
		for range 3 { // what is in pools is kept for two
			runtime.GC()
		}
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	open := func(n int) {
		for range n {
			s := serveWebSocket(t, r, r.defaults, at, message.Open{Resource: "/"})
			_, _ = s.all() // it is reset
			s.wait()
		}
	}
	open(20)
	before := heap()
	const many = 300
	open(many)
	servertest.Eventually(t, patience, "memory is freed", func() bool { return heap() < before+many*6<<10 }) // a WebSocket has 9 KiB, and each stream of the test 3
}
