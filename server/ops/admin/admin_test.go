package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func says(word string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, word) })
}

// get asks a handler whose listener has that address.
func get(t *testing.T, h http.Handler, local, method, url string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	if local != "" {
		addr, err := net.ResolveTCPAddr("tcp", local)
		if err != nil {
			t.Fatal(err)
		}
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr)))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestPaths(t *testing.T) {
	var unready error
	h := New(Config{Metrics: says("metrics"), Status: says("status"), Ready: func() error { return unready }, CommandLine: []string{"sockmux", "--demo"}})
	const base = "http://127.0.0.1:9090"
	tests := []struct {
		method, path string
		status       int
		body         string // part of it
	}{
		{"GET", "/metrics", 200, "metrics"},
		{"GET", "/healthz", 200, "ok\n"},
		{"GET", "/readyz", 200, "ok\n"},
		{"GET", "/debug/pprof/", 200, "goroutine"},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "TestPaths"},
		{"GET", "/debug/pprof/cmdline", 200, "sockmux\x00--demo"},
		{"GET", "/debug/pprof/symbol", 200, "num_symbols"},
		{"GET", "/debug/pprof/heap?debug=1", 200, "heap profile"},
		{"GET", "/", 200, "status"},
		{"GET", "/status.json", 200, "status"},
		{"HEAD", "/", 200, ""},
		{"POST", "/", 405, ""},
		{"DELETE", "/metrics", 405, ""},
	}
	for _, test := range tests {
		w := get(t, h, "127.0.0.1:9090", test.method, base+test.path)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s %s: %d %q", test.method, test.path, w.Code, w.Body)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: header %v", test.path, w.Header())
		}
	}
	unready = errors.New("draining")
	if w := get(t, h, "", "GET", base+"/readyz"); w.Code != 503 || w.Body.String() != "draining\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := get(t, h, "", "GET", base+"/healthz"); w.Code != 200 {
		t.Errorf("a server that drains is not healthy: %d", w.Code)
	}
}

func TestForeign(t *testing.T) {
	h := New(Config{Metrics: says("metrics"), Status: says("status"), Ready: func() error { return nil }, Address: "sockmux:9090"})
	tests := []struct {
		name, local, url string
		header           []string
		status           int
	}{
		{"by address", "127.0.0.1:9090", "http://127.0.0.1:9090/", nil, 200},
		{"by localhost", "127.0.0.1:9090", "http://localhost:9090/", nil, 200},
		{"IPv6", "[::1]:9090", "http://[::1]:9090/", nil, 200},
		{"a name that was pointed here", "127.0.0.1:9090", "http://evil.test:9090/status.json", nil, 403},
		{"likewise over IPv6", "[::1]:9090", "http://evil.test:9090/metrics", nil, 403},
		{"a scrape by the name of --admin", "10.0.0.5:9090", "http://sockmux:9090/metrics", nil, 200},
		{"a scrape by address", "10.0.0.5:9090", "http://10.0.0.5:9090/metrics", nil, 200},
		{"a name that was pointed at another machine", "10.0.0.5:9090", "http://evil.test:9090/status.json", nil, 403},
		{"a page of another origin", "10.0.0.5:9090", "http://10.0.0.5:9090/status.json", []string{"Origin", "https://evil.test"}, 403},
		{"a page without an origin", "10.0.0.5:9090", "http://10.0.0.5:9090/status.json", []string{"Origin", "null"}, 403},
		{"the own page's fetch over plain HTTP", "10.0.0.5:9090", "http://10.0.0.5:9090/status.json", []string{"Origin", "http://10.0.0.5:9090"}, 200},
		{"the page's own fetch", "127.0.0.1:9090", "http://127.0.0.1:9090/status.json", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"typed", "127.0.0.1:9090", "http://127.0.0.1:9090/", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, 200},
		{"a link", "127.0.0.1:9090", "http://127.0.0.1:9090/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 200},
		{"a picture", "127.0.0.1:9090", "http://127.0.0.1:9090/metrics", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, 403},
		{"another port of this machine", "127.0.0.1:9090", "http://127.0.0.1:9090/status.json", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}, 403},
		{"a link to a profile", "127.0.0.1:9090", "http://127.0.0.1:9090/debug/pprof/profile?seconds=30", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, 403},
		{"not known where", "", "http://evil.test/", nil, 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if w := get(t, h, test.local, "GET", test.url, test.header...); w.Code != test.status {
				t.Errorf("%d %q, want %d", w.Code, w.Body, test.status)
			}
		})
	}
}

func TestCheckAddress(t *testing.T) {
	for _, good := range []string{"127.0.0.1:9090", "localhost:9090", "[::1]:9090", "127.9.9.9:0"} {
		if err := CheckAddress(good, false); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for address, want := range map[string]string{
		"9090":         `"9090" is not HOST:PORT`,
		":9090":        `":9090" is reachable from other machines without authentication: listen on 127.0.0.1, or set --insecure-admin`,
		"0.0.0.0:9090": `"0.0.0.0:9090" is reachable from other machines without authentication: listen on 127.0.0.1, or set --insecure-admin`,
		"admin.test:1": `"admin.test:1" is reachable from other machines without authentication: listen on 127.0.0.1, or set --insecure-admin`,
	} {
		if err := CheckAddress(address, false); err == nil || err.Error() != want {
			t.Errorf("%s: %v", address, err)
		}
		if err := CheckAddress(address, true); (err == nil) != strings.Contains(address, ":") {
			t.Errorf("%s, confirmed: %v", address, err)
		}
	}
}
