package operate_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
)

// get asks a server with a Host and further headers.
func get(t *testing.T, url, host string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// A password on the command line is on no page.
func TestProfilesHoldNoPassword(t *testing.T) {
	for _, flags := range [][]string{
		{"--egress-proxy", "http://alice:s3cret-word@192.0.2.1:3128"}, {"--egress-proxy=socks5://alice:s3cret-word@192.0.2.1:1080"},
	} {
		s := product.Start(t, append(flags, "--admin", "127.0.0.1:0")...)
		url := s.AdminURL()
		_, body := get(t, url+"/debug/pprof/cmdline", "")
		if strings.Contains(body, "s3cret-word") || !strings.Contains(body, "alice:xxxxx@192.0.2.1") {
			t.Errorf("cmdline: %q", body)
		}
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1", "/status.json", "/metrics", "/"} {
			if _, body := get(t, url+path, ""); strings.Contains(body, "s3cret-word") {
				t.Errorf("%s holds the password", path)
			}
		}
	}
}

// No website learns that a visitor runs a server, or what its demo listens on.
func TestOtherOriginsReadNothing(t *testing.T) {
	s := product.Start(t, "--demo", "--allow-origin", "https://page.example.org")
	for _, test := range []struct{ path, origin, want string }{
		{"readyz", "https://evil.test", ""},
		{"readyz", "https://page.example.org", ""},
		{"demo.json", "https://evil.test", ""},
		{"demo.json", "https://page.example.org", "https://page.example.org"},
	} {
		r, _ := get(t, s.URL()+test.path, "", "Origin", test.origin)
		if got := r.Header.Get("Access-Control-Allow-Origin"); r.StatusCode != 200 || got != test.want {
			t.Errorf("%s for %s: %s, Access-Control-Allow-Origin %q, want %q", test.path, test.origin, r.Status, got, test.want)
		}
	}
}
