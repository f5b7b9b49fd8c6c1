package app_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/certificate"
	"github.com/sockmux/sockmux/internal/test/command"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestServeTLS(t *testing.T) {
	own, f := certificate.Issue(t, nil, "localhost"), servertest.NewFolder(t)
	f.Put("cert.pem", own.PEM)
	f.Put("key.pem", own.KeyPEM(t))
	r := command.Start(t, "--tls-cert", f.File("cert.pem"), "--tls-key", f.File("key.pem"))
	if !strings.HasPrefix(r.URL, "https://127.0.0.1:") {
		t.Fatalf("printed %q", r.Line)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: own.Pool()}}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get(r.URL + "healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "ok\n" || response.TLS == nil || response.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%q, %v", body, err)
	}
}

// What a trusted proxy says of the client is what the log has.
func TestServeProxyProtocol(t *testing.T) {
	r := command.Start(t, "--trusted-proxies", "127.0.0.1", "--proxy-protocol", "--insecure-no-auth")
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(r.URL, "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "PROXY TCP4 198.51.100.7 192.0.2.1 4711 443\r\nGET /v1/connect HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 426 ") {
		t.Errorf("%q, %v", answer, err)
	}
	r.Logs(t, `"peer":"198.51.100.7:4711"`)
}

func TestServeForwardedFor(t *testing.T) {
	r := command.Start(t, "--trusted-proxies", "127.0.0.0/8", "--insecure-no-auth")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.URL+"v1/connect", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Forwarded-For", "203.0.113.9, 198.51.100.7")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	r.Logs(t, `"peer":"198.51.100.7:0"`)
}
