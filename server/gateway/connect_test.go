package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/server/gateway/origin"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

// echoOnce answers the first message with the peer and the message, then closes.
func echoOnce(ctx context.Context, c session.Newcomer, peer session.Peer) error {
	message, err := c.Receive(ctx)
	if err != nil {
		return errors.Join(err, c.Close(1011, "no message"))
	}
	if err := c.Send(ctx, append([]byte(peer.Address+" "), message...)); err != nil {
		return errors.Join(err, c.Close(1011, "no send"))
	}
	return c.Close(4020, "seen")
}

// serve starts a real server and returns its URL with ws:.
func serve(t *testing.T, g *Gateway) string {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

// dial opens a WebSocket as a browser does; origin may be empty, subprotocols may be none.
func dial(t *testing.T, url, origin string, subprotocols ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	options := &websocket.DialOptions{Subprotocols: subprotocols, HTTPHeader: http.Header{}}
	if origin != "" {
		options.HTTPHeader.Set("Origin", origin)
	}
	return websocket.Dial(t.Context(), url, options)
}

// refused reads the status and text of a failed handshake.
func refused(t *testing.T, response *http.Response, err error) (int, string) {
	t.Helper()
	if err == nil {
		t.Fatal("the connection was taken, want a refusal")
	}
	if response == nil {
		t.Fatalf("no answer: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func TestConnect(t *testing.T) {
	url := serve(t, newGateway(t, func(c *Config) { c.Prefix, c.Serve = "/p/", echoOnce }))
	conn, response, err := dial(t, url+"/p/v1/connect", "http"+strings.TrimPrefix(url, "ws"), "other", "sockmux.v1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != "sockmux.v1" || response.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("subprotocol %q, extensions %q", conn.Subprotocol(), response.Header.Get("Sec-WebSocket-Extensions"))
	}
	if err := conn.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	_, message, err := conn.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if peer, text, _ := strings.Cut(string(message), " "); !strings.HasPrefix(peer, "127.0.0.1:") || text != "hello" {
		t.Errorf("got %q", message)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != 4020 {
		t.Errorf("end %v, want close code 4020", err)
	}
}

func TestOrigins(t *testing.T) {
	patterns := make([]origin.Pattern, 0, 2)
	for _, text := range []string{"https://app.example.com", "https://*.pages.example"} {
		p, err := origin.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		patterns = append(patterns, p)
	}
	g := newGateway(t, func(c *Config) { c.AllowOrigins = patterns })
	for _, test := range []struct {
		origin, host string
		want         bool
	}{
		{"http://127.0.0.1:8088", "127.0.0.1:8088", true},
		{"http://localhost:8088", "localhost:8088", true},
		{"https://app.example.com", "127.0.0.1:8088", true},
		{"https://me.pages.example", "mux.example.com", true},
		{"", "127.0.0.1:8088", true}, // no browser
		{"https://evil.test", "127.0.0.1:8088", false},
		{"http://127.0.0.1:3000", "127.0.0.1:8088", false},
		{"null", "127.0.0.1:8088", false},
		// DNS rebinding: the page's own name leads to this server.
		{"http://evil.test:8088", "evil.test:8088", false},
		{"https://mux.example.com", "mux.example.com", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/connect", nil)
		r.Host = test.host
		r.Header.Set("Connection", "keep-alive, Upgrade")
		r.Header.Set("Upgrade", "WebSocket")
		r.Header.Set("Sec-WebSocket-Protocol", "sockmux.v1")
		if test.origin != "" {
			r.Header.Set("Origin", test.origin)
		}
		refusal := g.authorize(r, wire.Subprotocol)
		if test.want != (refusal == nil) {
			t.Errorf("origin %q at %s: %+v, want allowed %t", test.origin, test.host, refusal, test.want)
			continue
		}
		want := "origin " + test.origin + " may not connect: start the server with --allow-origin " + test.origin
		if !test.want && (refusal.Status != http.StatusForbidden || refusal.Refusal.Reason != ReasonOrigin || refusal.Refusal.Text != want) {
			t.Errorf("origin %q: %+v", test.origin, refusal)
		}
	}
}

func TestConnectRefusals(t *testing.T) {
	recorded := make(reasons)
	g := newGateway(t, func(c *Config) { c.Events = recorded })
	url := serve(t, g) + "/v1/connect"

	_, response, err := dial(t, url, "https://evil.test", "sockmux.v1")
	if status, text := refused(t, response, err); status != 403 || text != "origin https://evil.test may not connect: start the server with --allow-origin https://evil.test\n" {
		t.Errorf("%d %s", status, text)
	}
	for _, offered := range [][]string{nil, {"binary"}, {"sockmux.v2"}} {
		_, response, err = dial(t, url, "", offered...)
		if status, text := refused(t, response, err); status != 400 || text != "the subprotocol sockmux.v1 is not offered: another program's WebSocket, or a proxy that drops Sec-WebSocket-Protocol\n" {
			t.Errorf("offered %q: %d %s", offered, status, text)
		}
	}
	// An ordinary request, and one whose upgrade a proxy has dropped.
	for _, headers := range [][]string{nil, {"Connection: close", "Upgrade: websocket"}, {"Connection: upgrade", "Upgrade: h2c"}} {
		w := get(g, "/v1/connect", headers...)
		wantHeaders(t, w, "Upgrade: websocket", "Connection: Upgrade", "X-Content-Type-Options: nosniff")
		if w.Code != 426 {
			t.Errorf("%q: status %d", headers, w.Code)
		}
	}
	// In a drain pages still come back to their tunnels.
	g.Drain()
	back, _, err := dial(t, url, "", "sockmux.v1")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := back.Read(t.Context()); websocket.CloseStatus(err) != 1000 { // by Serve
		t.Errorf("in the drain: %v", err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	_, response, err = dial(t, url, "", "sockmux.v1")
	if status, text := refused(t, response, err); status != 503 || text != "the server has ended\n" {
		t.Errorf("%d %s", status, text)
	}
	if want := (reasons{ReasonOrigin: 1, ReasonSubprotocol: 3, ReasonNoWebSocket: 3, ReasonEnded: 1}); !maps.Equal(recorded, want) {
		t.Errorf("recorded %v, want %v", recorded, want)
	}
}

// reasons is a Sink that counts refused upgrades. It is for one request at a time.
type reasons map[string]int

func (r reasons) Record(e events.Event) {
	refused := e.(events.UpgradeRefused)
	if refused.Client.Peer == "" || refused.Refusal.Stage != events.StageUpgrade {
		panic(refused)
	}
	r[refused.Refusal.Reason]++
}

// A page that came over http may have been written by an attacker on the path: it is not
// the server's own where that is reached over https.
func TestDowngrade(t *testing.T) {
	g := newGateway(t, nil)
	trusted := listener.Proxies{netip.MustParsePrefix("192.0.2.0/24")} // httptest's requests come from there
	for _, test := range []struct {
		origin, proto string
		tls, want     bool
	}{
		{"http://127.0.0.1", "", false, true},
		{"https://127.0.0.1", "", false, true}, // a proxy ends TLS and does not tell
		{"http://127.0.0.1", "https", false, false},
		{"https://127.0.0.1", "https", false, true},
		{"http://127.0.0.1", "http", false, true},
		{"http://127.0.0.1", "", true, false},
		{"https://127.0.0.1", "", true, true},
	} {
		r := httptest.NewRequest(http.MethodGet, "/v1/connect", nil)
		r.Host = "127.0.0.1"
		if test.proto != "" {
			r.Header.Set("X-Forwarded-Proto", test.proto)
		}
		if test.tls {
			r.TLS = new(tls.ConnectionState)
		}
		trusted.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := g.allowed(test.origin, r); got != test.want {
				t.Errorf("%+v: allowed %t", test, got)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

func TestCarriersAndReady(t *testing.T) {
	inside, leave := make(chan struct{}), make(chan struct{})
	g := newGateway(t, func(c *Config) {
		c.Serve = func(_ context.Context, c session.Newcomer, _ session.Peer) error {
			close(inside)
			<-leave
			return c.Close(1000, "")
		}
	})
	url := serve(t, g)
	if n := g.Carriers(); n != 0 || g.Ready() != nil || g.Draining() {
		t.Errorf("%d carriers, ready %v", n, g.Ready())
	}
	conn, _, err := dial(t, url+"/v1/connect", "", "sockmux.v1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	<-inside
	if n := g.Carriers(); n != 1 {
		t.Errorf("%d carriers", n)
	}
	g.Drain()
	if err := g.Ready(); err == nil || err.Error() != "draining" || !g.Draining() {
		t.Errorf("ready %v", err)
	}
	close(leave)
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if n := g.Carriers(); n != 0 {
		t.Errorf("%d carriers at the end", n)
	}
}

func TestSetAllowOrigins(t *testing.T) {
	g := newGateway(t, nil)
	request := httptest.NewRequest(http.MethodGet, "https://mux.example.com/v1/connect", nil)
	if g.allowed("https://app.example.com", request) {
		t.Error("allowed before it was set")
	}
	p, err := origin.Parse("https://app.example.com")
	if err != nil {
		t.Fatal(err)
	}
	g.SetAllowOrigins([]origin.Pattern{p})
	if !g.allowed("https://app.example.com", request) {
		t.Error("not allowed though it was set")
	}
}

// A hostile header becomes neither a second line nor a long one.
func TestPrintable(t *testing.T) {
	for header, want := range map[string]string{
		"https://a.test": "https://a.test", "a b\tc": "a?b?c", "ä\x1b[31m": "??[31m", strings.Repeat("a", 300): strings.Repeat("a", 200) + "...",
	} {
		if got := printable(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

// A newcomer always gets a place: that of the oldest which has no session.
func TestStrangersMakeRoom(t *testing.T) {
	served, ended := make(chan struct{}), make(chan error, 3)
	pool := places.New(2)
	url := serve(t, newGateway(t, func(c *Config) {
		c.Strangers = pool
		c.Serve = func(ctx context.Context, c session.Newcomer, _ session.Peer) error {
			served <- struct{}{}
			_, err := c.Receive(ctx)
			ended <- err
			return errors.Join(err, c.Close(0, ""))
		}
	})) + "/v1/connect"
	first, _, err := dial(t, url, "", "sockmux.v1")
	if err != nil {
		t.Fatal(err)
	}
	<-served
	var others []*websocket.Conn
	for range 2 {
		conn, _, err := dial(t, url, "", "sockmux.v1")
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, conn)
		<-served
	}
	if _, _, err := first.Read(t.Context()); err == nil {
		t.Error("the first has its place yet")
	}
	if err := <-ended; err == nil {
		t.Error("the first ended without an error")
	}
	if s := pool.Stats(); s.Count != 2 || s.Evicted != 1 {
		t.Errorf("%+v, want one that made room", s)
	}
	for _, conn := range others {
		conn.CloseNow()
		if err := <-ended; err == nil {
			t.Error("another ended without an error")
		}
	}
}

// Those who have a session have no place among strangers.
func TestAdmittedAreNoStrangers(t *testing.T) {
	served, release := make(chan struct{}), make(chan struct{})
	pool := places.New(2)
	url := serve(t, newGateway(t, func(c *Config) {
		c.Strangers = pool
		c.Serve = func(_ context.Context, c session.Newcomer, _ session.Peer) error {
			c.Admit(nil)
			served <- struct{}{}
			<-release
			return c.Close(1000, "")
		}
	})) + "/v1/connect"
	for range 5 {
		if _, _, err := dial(t, url, "", "sockmux.v1"); err != nil {
			t.Fatal(err)
		}
		<-served
	}
	if s := pool.Stats(); s.Count != 0 || s.Evicted != 0 {
		t.Errorf("%+v of five with sessions", s)
	}
	close(release)
}

// Close waits for every carrier.
func TestCloseWaits(t *testing.T) {
	served, release := make(chan struct{}), make(chan struct{})
	ended := false
	g := newGateway(t, func(c *Config) {
		c.Serve = func(_ context.Context, c session.Newcomer, _ session.Peer) error {
			close(served)
			<-release
			err := c.Close(1000, "")
			ended = true
			return err
		}
	})
	conn, _, err := dial(t, serve(t, g)+"/v1/connect", "", "sockmux.v1")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	<-served
	closed := make(chan error)
	go func() { closed <- g.Close() }()
	close(release)
	conn.Read(t.Context()) // answers the close handshake
	if err := <-closed; err != nil || !ended {
		t.Errorf("closed with error %v, carrier ended %t", err, ended)
	}
}
