package gateway

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/gateway/assets"
)

func TestScript(t *testing.T) {
	g := newGateway(t, nil)
	w := get(g, "/sockmux.js")
	wantAnswer(t, w, 200, "the script")
	wantHeaders(t, w,
		"Content-Type: text/javascript; charset=utf-8", "Content-Length: 10", "Content-Encoding:", "Vary: Accept-Encoding",
		"Cache-Control: public, max-age=300", `ETag: "`+strings.Repeat("A", 24)+`-identity"`, "X-Content-Type-Options: nosniff",
		"Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: cross-origin", "Cross-Origin-Embedder-Policy: require-corp")

	w = get(g, "/sockmux.js", "Accept-Encoding: gzip, br")
	wantAnswer(t, w, 200, "the script in brotli")
	wantHeaders(t, w, "Content-Encoding: br", "Content-Length: 20", "Vary: Accept-Encoding", `ETag: "`+strings.Repeat("A", 24)+`-br"`)
	w = get(g, "/sockmux.js", "Accept-Encoding: gzip, br;q=0.1")
	wantAnswer(t, w, 200, "the script in gzip")
	wantHeaders(t, w, "Content-Encoding: gzip")
	// Where the build made no brotli twin the next best is taken.
	w = get(g, "/sockmux.wasm", "Accept-Encoding: br, gzip")
	wantAnswer(t, w, 200, "the wasm in gzip")
	wantHeaders(t, w, "Content-Encoding: gzip", "Content-Type: application/wasm")
	wantAnswer(t, get(g, "/sockmux.wasm", "Accept-Encoding: br"), 200, "the wasm")
}

func TestCaching(t *testing.T) {
	for path, want := range map[string]string{
		"/sockmux.js": "public, max-age=300", "/sockmux.wasm": "public, max-age=300",
		"/assets/sockmux-01.js": "public, max-age=31536000, immutable", "/assets/sockmux-02.wasm": "public, max-age=31536000, immutable",
		"/": "no-cache", "/playground/main.js": "no-cache",
	} {
		w := get(newGateway(t, nil), path)
		wantHeaders(t, w, "Cache-Control: "+want)
		if w.Code != 200 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	fresh := newGateway(t, func(c *Config) { c.Fresh = true })
	wantHeaders(t, get(fresh, "/sockmux.js"), "Cache-Control: no-cache")
	wantHeaders(t, get(fresh, "/assets/sockmux-01.js"), "Cache-Control: public, max-age=31536000, immutable")
}

func TestNotModified(t *testing.T) {
	g := newGateway(t, nil)
	tag := get(g, "/sockmux.js", "Accept-Encoding: br").Header().Get("ETag")
	for _, value := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		w := get(g, "/sockmux.js", "Accept-Encoding: br", "If-None-Match: "+value)
		wantAnswer(t, w, 304, "")
		wantHeaders(t, w, "ETag: "+tag, "Vary: Accept-Encoding", "Cache-Control: public, max-age=300", "Content-Length:")
	}
	// Another coding is another representation.
	wantAnswer(t, get(g, "/sockmux.js", "If-None-Match: "+tag), 200, "the script")
	wantAnswer(t, get(g, "/sockmux.js", `If-None-Match: "x"`), 200, "the script")
}

func TestHead(t *testing.T) {
	g := newGateway(t, nil)
	w := request(g, http.MethodHead, "/sockmux.js", "Accept-Encoding: br")
	wantAnswer(t, w, 200, "")
	wantHeaders(t, w, "Content-Length: 20", "Content-Encoding: br", "Content-Type: text/javascript; charset=utf-8")
}

func TestNotBuilt(t *testing.T) {
	g := newGateway(t, func(c *Config) { c.Assets = assets.Dir(t.TempDir()) })
	for _, path := range []string{"/", "/sockmux.js", "/anything"} {
		w := get(g, path)
		wantAnswer(t, w, 503, "the script and the playground are not built: run make\n")
		wantHeaders(t, w, "Access-Control-Allow-Origin: *", "Cache-Control: no-store")
	}
	wantAnswer(t, get(g, "/healthz"), 200, "ok\n")
}

func TestBrokenBuild(t *testing.T) {
	dir := builtFolder(t)
	g := newGateway(t, func(c *Config) { c.Assets = assets.Dir(dir) })
	if err := os.Remove(filepath.Join(dir, "playground", "index.html")); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, get(g, "/"), 500, "the file cannot be read; the server's log says why\n")
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, get(g, "/sockmux.js"), 500, "the file cannot be read; the server's log says why\n")
}

// A range is one of the representation, which a coding makes another.
func TestRange(t *testing.T) {
	g := newGateway(t, nil)
	w := get(g, "/sockmux.js", "Range: bytes=4-9")
	wantAnswer(t, w, 206, "script")
	wantHeaders(t, w, "Content-Range: bytes 4-9/10", "Content-Length: 6", "Content-Encoding:")
	w = get(g, "/sockmux.js", "Accept-Encoding: br", "Range: bytes=-6")
	wantAnswer(t, w, 206, "brotli")
	wantHeaders(t, w, "Content-Range: bytes 14-19/20", "Content-Length: 6", "Content-Encoding: br")
	w = get(g, "/sockmux.js", "Range: bytes=100-")
	wantHeaders(t, w, "Content-Range: bytes */10", "Cache-Control:")
	if w.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("status %d", w.Code)
	}
}
