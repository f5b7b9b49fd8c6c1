package gateway

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/gateway/assets"
	"github.com/sockmux/sockmux/server/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The built files of the tests. NAME.br and NAME.gz are the twins of NAME.
var built = map[string]string{
	"sockmux.js": "the script", "sockmux.js.br": "the script in brotli", "sockmux.js.gz": "the script in gzip",
	"sockmux.wasm": "the wasm", "sockmux.wasm.gz": "the wasm in gzip",
	"r/PACKAGES.txt": "the packages", "r/later_1.4.0.tgz": "a package",
	"playground/index.html": "the page", "playground/main.js": "the page's script",
}

func builtFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	manifest := assets.Manifest{Version: "v1", Files: []assets.File{
		{Path: "sockmux.js", Hashed: "assets/sockmux-01.js", Type: "text/javascript; charset=utf-8", SRI: "sha384-" + strings.Repeat("A", 64)},
		{Path: "sockmux.wasm", Hashed: "assets/sockmux-02.wasm", Type: "application/wasm", SRI: "sha384-" + strings.Repeat("B", 64)},
		{Path: "r/PACKAGES.txt", Type: "text/plain; charset=utf-8", SRI: "sha384-" + strings.Repeat("E", 64)},
		{Path: "r/later_1.4.0.tgz", Type: "application/gzip", SRI: "sha384-" + strings.Repeat("F", 64)},
		{Path: "playground/index.html", Type: "text/html; charset=utf-8", SRI: "sha384-" + strings.Repeat("C", 64)},
		{Path: "playground/main.js", Type: "text/javascript; charset=utf-8", SRI: "sha384-" + strings.Repeat("D", 64)},
	}}
	list, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, "manifest.json", string(list))
	for name, content := range built {
		writeFile(t, dir, name, content)
	}
	return dir
}

func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newGateway returns a gateway at / with built files; change may change its configuration first.
func newGateway(t *testing.T, change func(*Config)) *Gateway {
	t.Helper()
	config := Config{
		Prefix: "/",
		Assets: assets.Dir(builtFolder(t)),
		Logger: slog.New(slog.DiscardHandler),
		Serve: func(_ context.Context, c session.Newcomer, _ session.Peer) error {
			return c.Close(1000, "")
		},
	}
	if change != nil {
		change(&config)
	}
	g, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// get asks for a path with headers given as "Name: value".
func get(g *Gateway, path string, headers ...string) *httptest.ResponseRecorder {
	return request(g, http.MethodGet, path, headers...)
}

func request(g *Gateway, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// wantHeaders checks headers given as "Name: value"; "Name:" wants none.
func wantHeaders(t *testing.T, w *httptest.ResponseRecorder, headers ...string) {
	t.Helper()
	for _, header := range headers {
		name, want, _ := strings.Cut(header, ":")
		if got := w.Header().Get(name); got != strings.TrimSpace(want) {
			t.Errorf("%s: %q, want %q", name, got, strings.TrimSpace(want))
		}
	}
}

func wantAnswer(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	if w.Code != status || w.Body.String() != body {
		t.Errorf("status %d, body %q; want %d, %q", w.Code, w.Body, status, body)
	}
}
