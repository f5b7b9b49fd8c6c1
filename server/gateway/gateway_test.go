package gateway

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestPrefix(t *testing.T) {
	g := newGateway(t, func(c *Config) { c.Prefix = "/sockmux/" })
	wantAnswer(t, get(g, "/sockmux/"), 200, "the page")
	wantAnswer(t, get(g, "/sockmux/healthz"), 200, "ok\n")
	wantAnswer(t, get(g, "/sockmux/sockmux.js"), 200, "the script")
	wantAnswer(t, get(g, "/sockmux/v1/connect"), 426, "this address takes WebSockets only: load /sockmux/sockmux.js in a page; if this is a proxy's request, the proxy must pass Upgrade and Connection on\n")
	for _, path := range []string{"/", "/healthz", "/sockmux.js", "/v1/connect", "/sockmuxhealthz", "/sockmux/sockmux/healthz", "//sockmux/healthz"} {
		wantAnswer(t, get(g, path), 404, "not found: the playground is at /sockmux/\n")
	}
	w := get(g, "/sockmux")
	wantHeaders(t, w, "Location: /sockmux/")
	if w.Code != http.StatusPermanentRedirect {
		t.Errorf("status %d", w.Code)
	}
}

func TestUnknown(t *testing.T) {
	g := newGateway(t, nil)
	for _, path := range []string{"/nothing", "/v1", "/v1/", "/v1/connect/", "/v2/connect", "/manifest.json", "/sockmux.js.br", "/assets/", "/assets/sockmux-99.js", "/../etc/passwd", "/.git/config"} {
		w := get(g, path)
		wantAnswer(t, w, 404, "not found: the playground is at /\n")
		wantHeaders(t, w, "Content-Type: text/plain; charset=utf-8", "Cache-Control: no-store", "X-Content-Type-Options: nosniff")
	}
}

func TestMethods(t *testing.T) {
	g := newGateway(t, nil)
	for _, path := range []string{"/", "/healthz", "/sockmux.js", "/demo.json", "/webr/R.wasm", "/nothing"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "BREW"} {
			w := request(g, method, path)
			wantAnswer(t, w, 405, "only GET and HEAD are answered here\n")
			wantHeaders(t, w, "Allow: GET, HEAD")
		}
	}
}

func TestHealth(t *testing.T) {
	g := newGateway(t, nil)
	w := get(g, "/healthz") // the script reads it, to tell a dead server from one that refuses
	wantAnswer(t, w, 200, "ok\n")
	wantHeaders(t, w, "Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: cross-origin", "Cache-Control: no-store")
	w = get(g, "/readyz") // other origins have no business with it
	wantAnswer(t, w, 200, "ok\n")
	wantHeaders(t, w, "Access-Control-Allow-Origin:", "Cross-Origin-Resource-Policy:", "Cache-Control: no-store")
	g.Drain()
	wantAnswer(t, get(g, "/healthz"), 200, "ok\n")
	wantAnswer(t, get(g, "/readyz"), 503, "draining\n")
}

func TestNewRefusesAMissingFolder(t *testing.T) {
	dir := t.TempDir() + "/none"
	_, err := New(Config{Prefix: "/", WebR: dir, Logger: slog.New(slog.DiscardHandler)})
	if want := "webR's files: open " + dir + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// deadlines records when a handler allowed its writes to last.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// Each write moves the deadline: one at the start, one for each part.
func TestWriteDeadlineMoves(t *testing.T) {
	g := newGateway(t, nil)
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	before := time.Now()
	g.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/sockmux.js", nil))
	if len(w.set) < 2 {
		t.Fatalf("deadlines %v, want one at the start and one for the body", w.set)
	}
	for _, deadline := range w.set {
		if d := deadline.Sub(before); d < writePatience || d > writePatience+time.Minute {
			t.Errorf("a deadline in %s, want %s", d, writePatience)
		}
	}
}

// Requests that no client library would send reach the handler as the server parses them.
func TestRawRequests(t *testing.T) {
	server := httptest.NewServer(newGateway(t, nil))
	defer server.Close()
	for line, want := range map[string]string{
		"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1":          "404",
		"GET /webr/..%2f..%2fetc/passwd HTTP/1.1":         "404",
		"GET http://elsewhere.test/sockmux.js HTTP/1.1":   "200", // absolute form, as to a proxy: the path alone counts
		"CONNECT elsewhere.test:443 HTTP/1.1":             "405",
		"GET /sockmux.js%00 HTTP/1.1":                     "404",
		"GET /v1/connect HTTP/1.0":                        "426",
		"GET /" + strings.Repeat("a", 4000) + " HTTP/1.1": "404",
	} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, line+"\r\nHost: h\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil {
			t.Fatal(err)
		}
		if status, _, _ := strings.Cut(string(answer), "\r\n"); !strings.Contains(status, " "+want+" ") {
			t.Errorf("%.60s: %s, want %s", line, status, want)
		}
		conn.Close()
	}
}
