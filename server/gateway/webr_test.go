package gateway

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func webRGateway(t *testing.T) (g *Gateway, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, content := range map[string]string{
		"webr.js": "js", "R.wasm": "wasm", "libRblas.so": "wasm too", "vfs/usr/share/gdal.js.metadata": "{}", "vfs/usr/share/gdal.data.gz": "packed", "vfs/TAG": "no type",
		".npmrc": "hidden", "vfs/.cache/x.js": "hidden",
	} {
		writeFile(t, dir, name, content)
	}
	return newGateway(t, func(c *Config) { c.WebR = dir }), dir
}

func TestWebR(t *testing.T) {
	g, _ := webRGateway(t)
	for path, want := range map[string][2]string{
		"/webr/webr.js":                        {"js", "text/javascript; charset=utf-8"},
		"/webr/R.wasm":                         {"wasm", "application/wasm"},
		"/webr/libRblas.so":                    {"wasm too", "application/wasm"},
		"/webr/vfs/usr/share/gdal.js.metadata": {"{}", "application/json"},
		"/webr/vfs/usr/share/gdal.data.gz":     {"packed", "application/gzip"},
		"/webr/vfs/TAG":                        {"no type", "application/octet-stream"},
	} {
		w := get(g, path, "Accept-Encoding: gzip, br")
		wantAnswer(t, w, 200, want[0])
		wantHeaders(t, w, "Content-Type: "+want[1], "Content-Encoding:", "Cache-Control: no-cache", "X-Content-Type-Options: nosniff",
			"Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: cross-origin", "Cross-Origin-Embedder-Policy: require-corp")
	}
	w := request(g, http.MethodHead, "/webr/R.wasm")
	wantAnswer(t, w, 200, "")
	wantHeaders(t, w, "Content-Length: 4")
	modified := w.Header().Get("Last-Modified")
	if modified == "" {
		t.Error("no Last-Modified: browsers would load R anew at every visit")
	}
	wantAnswer(t, get(g, "/webr/R.wasm", "If-Modified-Since: "+modified), 304, "")
}

func TestWebRHides(t *testing.T) {
	g, dir := webRGateway(t)
	outside := t.TempDir()
	writeFile(t, outside, "secret.js", "secret")
	if err := os.Symlink(filepath.Join(outside, "secret.js"), filepath.Join(dir, "link.js")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/webr/", "/webr/vfs", "/webr/vfs/", "/webr/.npmrc", "/webr/vfs/.cache/x.js", "/webr/none.js", "/webr/../manifest.json", "/webr//R.wasm", "/webr/./R.wasm", "/webr/link.js"} {
		wantAnswer(t, get(g, path), 404, "not found: the playground is at /\n")
	}
}

func TestWithoutWebR(t *testing.T) {
	wantAnswer(t, get(newGateway(t, nil), "/webr/webr.js"), 404, "webR's files are not here: start the server with --webr DIR\n")
}
