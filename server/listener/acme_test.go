package listener

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestACMEErrors(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "file", "")
	tests := []struct {
		config ACMEConfig
		want   string // DIR stands for the folder
	}{
		{ACMEConfig{Cache: dir}, "acme: no host is named"},
		{ACMEConfig{Hosts: []string{"one.test"}}, "acme: a folder for keys and certificates is needed: authorities give few certificates a week to those who keep none"},
		{ACMEConfig{Hosts: []string{"*.one.test"}, Cache: dir}, `acme: "*.one.test": wildcards need a DNS challenge, which is not spoken: name each host`},
		{ACMEConfig{Hosts: []string{"https://one.test"}, Cache: dir}, `acme: "https://one.test": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"one.test:443"}, Cache: dir}, `acme: "one.test:443": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"192.0.2.1"}, Cache: dir}, `acme: "192.0.2.1": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"localhost"}, Cache: dir}, `acme: "localhost": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"one.test"}, Cache: filepath.Join(file, "below")}, "acme: mkdir DIR/file: not a directory"},
	}
	for _, test := range tests {
		_, err := NewACME(test.config)
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

// The folder holds private keys.
func TestACMECache(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "a", "b")
	if _, err := NewACME(ACMEConfig{Hosts: []string{"one.test"}, Cache: cache}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(cache)
	if err != nil || info.Mode().Perm() != cacheMode {
		t.Errorf("%v, %v", info, err)
	}
	if files, err := os.ReadDir(cache); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// A certificate is got from an authority that checks by connecting back, kept, and used
// again by the next process.
func TestACME(t *testing.T) {
	for _, challenge := range []string{"tls-alpn-01", "http-01"} {
		t.Run(challenge, func(t *testing.T) {
			plain, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ca := newACMEServer(t, plain.Addr().String())
			config := ACMEConfig{Hosts: []string{"one.test"}, Cache: t.TempDir(), Email: "ops@one.test", Directory: ca.URL + "/directory", Client: ca.Client()}
			source, err := NewACME(config)
			if err != nil {
				t.Fatal(err)
			}
			if challenge == "http-01" {
				port80 := httptest.NewServer(source.Challenges())
				t.Cleanup(port80.Close)
				ca.http01 = port80.Listener.Addr().String()
				wantRedirect(t, port80.URL)
			}
			address := serveOn(t, Wrap(plain, Config{TLS: source.Config()}))
			dial := func(name string) error {
				c, err := tls.Dial("tcp", address, &tls.Config{ServerName: name, RootCAs: ca.ca.Pool()})
				if err != nil {
					return err
				}
				return c.Close()
			}
			for range 2 {
				if err := dial("one.test"); err != nil {
					t.Fatal(err)
				}
			}
			if n := ca.certificates(); n != 1 {
				t.Errorf("%d certificates", n)
			}
			if err := dial("two.test"); err == nil || ca.certificates() != 1 {
				t.Errorf("a certificate for a name that is not ours: %v", err)
			}

			again, err := NewACME(config)
			if err != nil {
				t.Fatal(err)
			}
			address = serveOn(t, loopback(t, Config{TLS: again.Config()}))
			if err := dial("one.test"); err != nil || ca.certificates() != 1 {
				t.Errorf("after a restart: %v, %d certificates", err, ca.certificates())
			}
		})
	}
}

// wantRedirect checks that port 80 sends browsers to https.
func wantRedirect(t *testing.T, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/path?query", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "one.test"
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Header.Get("Location"); got != "https://one.test/path?query" {
		t.Errorf("sent to %q", got)
	}
}
