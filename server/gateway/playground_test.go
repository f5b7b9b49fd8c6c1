package gateway

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/gateway/origin"
)

func TestPlaygroundIsIsolated(t *testing.T) {
	w := get(newGateway(t, nil), "/")
	wantAnswer(t, w, 200, "the page")
	wantHeaders(t, w,
		"Content-Type: text/html; charset=utf-8", "Cross-Origin-Opener-Policy: same-origin", "Cross-Origin-Embedder-Policy: require-corp",
		"Cross-Origin-Resource-Policy: same-origin", "Access-Control-Allow-Origin:", "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
		"Content-Security-Policy: default-src 'none'; script-src 'self' blob: 'wasm-unsafe-eval' 'unsafe-eval'; worker-src 'self' blob:; connect-src 'self' blob: data: https:; "+
			"style-src 'self'; img-src 'self' blob: data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	// A script has no policy of its own: a worker's would be its script's.
	wantHeaders(t, get(newGateway(t, nil), "/playground/main.js"), "Content-Security-Policy:", "Cross-Origin-Embedder-Policy: require-corp")
}

// The page's links are relative to the prefix.
func TestPlaygroundHasOneAddress(t *testing.T) {
	g := newGateway(t, func(c *Config) { c.Prefix = "/p/" })
	for _, path := range []string{"/p/playground", "/p/playground/", "/p/playground/index.html"} {
		w := get(g, path)
		wantHeaders(t, w, "Location: /p/")
		if w.Code != 308 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
}

func TestDemo(t *testing.T) {
	wantAnswer(t, get(newGateway(t, nil), "/demo.json"), 404, "no demo services: start the server with --demo\n")
	allowed, err := origin.Parse("https://page.example")
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(t, func(c *Config) {
		c.Demo = []Service{{Name: "echo", Host: "192.0.2.7", Port: 7001, Description: "sends back"}, {Name: "daytime", Host: "192.0.2.7", Port: 7002, Description: "the time"}}
		c.AllowOrigins = []origin.Pattern{allowed}
	})
	for asked, readable := range map[string]string{"": "", "https://page.example": "https://page.example", "https://evil.example": "", "null": ""} {
		r := httptest.NewRequest(http.MethodGet, "/demo.json", nil)
		if asked != "" {
			r.Header.Set("Origin", asked)
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		wantAnswer(t, w, 200, `[{"name":"echo","host":"192.0.2.7","port":7001,"description":"sends back"},{"name":"daytime","host":"192.0.2.7","port":7002,"description":"the time"}]`+"\n")
		wantHeaders(t, w, "Content-Type: application/json", "Cache-Control: no-store", "Vary: Origin", strings.TrimSpace("Access-Control-Allow-Origin: "+readable))
	}
	wantAnswer(t, get(newGateway(t, func(c *Config) { c.Demo = []Service{} }), "/demo.json"), 200, "[]\n")
}
