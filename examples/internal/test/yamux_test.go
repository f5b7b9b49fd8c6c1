package test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
)

// TestYamux: hashicorp/yamux alone. In a browser e2e/yamux.test.js runs it.
func TestYamux(t *testing.T) {
	body := strings.Repeat("more than a window\n", 50_000)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, body) // the client tells what it lacks
	}))
	defer target.Close()
	where, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := product.Start(t, "--allow-yamux", "--allow", "127.0.0.1")
	code, stdout, stderr := run(t, "yamux-go", server.URL(), where.Hostname(), where.Port())
	if code != 0 || !strings.HasPrefix(stdout, "HTTP/1.0 200 OK\r\n") || !strings.HasSuffix(stdout, "\r\n\r\n"+body) {
		t.Errorf("exit code %d, %d bytes, stderr %q", code, len(stdout), stderr)
	}
	code, _, stderr = run(t, "yamux-go", server.URL(), "169.254.169.254", "80")
	if code != 1 || !strings.Contains(stderr, "refused with code 6") {
		t.Errorf("a target that is forbidden: exit code %d, stderr %q", code, stderr)
	}
}
