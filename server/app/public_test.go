package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/command"
)

// selfSigned writes a certificate for 127.0.0.1 and returns its files and who trusts it.
func selfSigned(t *testing.T) (cert, key string, trust *tls.Config) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) {
		t.Fatal("the certificate does not parse")
	}
	return cert, key, &tls.Config{RootCAs: pool}
}

func TestServeTLS(t *testing.T) {
	cert, key, trust := selfSigned(t)
	r := command.Start(t, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(r.URL, "https://127.0.0.1:") {
		t.Fatalf("printed %q", r.Line)
	}
	transport := &http.Transport{TLSClientConfig: trust}
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
