package listener

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/certificate"
)

// greet accepts one connection, says the word, and closes.
func greet(t *testing.T, l net.Listener, word string) {
	t.Helper()
	var tasks sync.WaitGroup
	tasks.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, word) // a handshake that fails is seen by the client
	})
	t.Cleanup(func() {
		_ = l.Close()
		tasks.Wait()
	})
}

// handshake connects and reads what greet says. In TLS 1.3 a server's refusal of the
// client comes with the first read.
func handshake(l net.Listener, config *tls.Config) (*x509.Certificate, error) {
	c, err := tls.Dial("tcp", l.Addr().String(), config)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	word, err := io.ReadAll(c)
	if err != nil {
		return nil, err
	}
	if string(word) != "hello" {
		return nil, errors.New("read " + string(word))
	}
	return c.ConnectionState().PeerCertificates[0], nil
}

func TestCertificateReload(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, nil, "the authority", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	files := Files{Cert: write(t, dir, "cert.pem", cert), Key: write(t, dir, "key.pem", key)}
	log := new(lines)
	certificates, err := LoadCertificates(files, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	serves := func(name string) {
		t.Helper()
		l := loopback(t, Config{TLS: certificates.Config()})
		greet(t, l, "hello")
		leaf, err := handshake(l, &tls.Config{RootCAs: ca.Pool(), ServerName: name})
		if err != nil || leaf.DNSNames[0] != name {
			t.Fatalf("want a handshake as %s: %v", name, err)
		}
	}
	serves("one.test")
	if changed, err := certificates.Reload(); changed || err != nil {
		t.Fatalf("reload of the same files: changed %t, error %v", changed, err)
	}

	_, cert, key = issue(t, ca, "two.test", nil)
	write(t, dir, "cert.pem", cert) // half way through: the key is still the old one
	if _, err := certificates.Reload(); err == nil {
		t.Fatal("a certificate with another's key was taken")
	}
	serves("one.test")

	write(t, dir, "key.pem", key)
	if changed, err := certificates.Reload(); !changed || err != nil {
		t.Fatalf("reload of new files: changed %t, error %v", changed, err)
	}
	serves("two.test")
	if !strings.Contains(log.String(), `msg="certificate loaded"`) || !strings.Contains(log.String(), "two.test") {
		t.Errorf("log: %s", log)
	}
}

func TestCertificateWatch(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, nil, "the authority", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	files := Files{Cert: write(t, dir, "cert.pem", cert), Key: write(t, dir, "key.pem", key)}
	log := new(lines)
	certificates, err := LoadCertificates(files, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	first := certificates.Expires()
	tick := make(chan time.Time) // unbuffered: a second tick is taken only when the first has been dealt with
	ctx, cancel := context.WithCancel(t.Context())
	var changes atomic.Int32
	var tasks sync.WaitGroup
	tasks.Go(func() { certificates.watch(ctx, tick, func() { changes.Add(1) }) })
	defer tasks.Wait()
	defer cancel()

	write(t, dir, "cert.pem", "not a certificate")
	for range 3 {
		tick <- time.Time{}
	}
	tick <- time.Time{}
	if got := strings.Count(log.String(), "the old one stays"); got != 1 {
		t.Errorf("the same mistake is logged %d times: %s", got, log)
	}
	_, cert, key = issue(t, ca, "two.test", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(3 * 24 * time.Hour) })
	write(t, dir, "cert.pem", cert)
	write(t, dir, "key.pem", key)
	tick <- time.Time{}
	tick <- time.Time{}
	if got := certificates.Expires(); !got.Before(first) {
		t.Errorf("expires %s, want the new certificate's end", got)
	}
	if !strings.Contains(log.String(), "the certificate expires soon") {
		t.Errorf("log: %s", log)
	}
	if n := changes.Load(); n != 1 {
		t.Errorf("told of %d changes, want 1", n)
	}
}

func TestCertificateWarnings(t *testing.T) {
	ca, _, _ := issue(t, nil, "the authority", nil)
	for want, change := range map[string]func(*x509.Certificate){
		"the certificate has expired": func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) },
		"is not valid yet":            func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) },
		"no subject alternative name": func(c *x509.Certificate) { c.DNSNames = nil },
	} {
		dir, log := t.TempDir(), new(lines)
		_, cert, key := issue(t, ca, "one.test", change)
		if _, err := LoadCertificates(Files{Cert: write(t, dir, "c", cert), Key: write(t, dir, "k", key)}, log.logger()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(log.String(), want) {
			t.Errorf("want %q in %s", want, log)
		}
	}
}

func TestCertificateErrors(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, nil, "the authority", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	_, _, other := issue(t, ca, "two.test", nil)
	cut := cert[:len(cert)/2] + "\n-----END CERTIFICATE-----\n"
	files := map[string]string{
		"cert": cert, "key": key, "other": other, "empty": "", "cut": cut,
		"garbage": pemText("CERTIFICATE", []byte("garbage")), "locked": pemText("ENCRYPTED PRIVATE KEY", []byte("x")),
	}
	for name, text := range files {
		write(t, dir, name, text)
	}
	tests := []struct {
		name  string
		files Files
		want  string // DIR stands for the folder
	}{
		{"no certificate", Files{Cert: "none", Key: "key"}, "certificate: open DIR/none: no such file or directory"},
		{"no key", Files{Cert: "cert", Key: "none"}, "key of the certificate: open DIR/none: no such file or directory"},
		{"empty certificate", Files{Cert: "empty", Key: "key"}, "certificate: DIR/empty holds no PEM block CERTIFICATE"},
		{"swapped", Files{Cert: "key", Key: "cert"}, "certificate: DIR/key holds no PEM block CERTIFICATE"},
		{"cut", Files{Cert: "cut", Key: "key"}, "certificate: DIR/cut holds no PEM block CERTIFICATE"},
		{"key without key", Files{Cert: "cert", Key: "cert"}, "key of the certificate: DIR/cert holds no PEM block PRIVATE KEY"},
		{"encrypted key", Files{Cert: "cert", Key: "locked"}, "key of the certificate: DIR/locked is encrypted: decrypt it with openssl pkey"},
		{"another's key", Files{Cert: "cert", Key: "other"}, "certificate DIR/cert with key DIR/other: tls: private key does not match public key"},
		{"garbage", Files{Cert: "garbage", Key: "key"}, "certificate DIR/garbage with key DIR/key: x509: malformed certificate"},
		{"no authority", Files{Cert: "cert", Key: "key", ClientCA: "none", Clients: RequireClientCerts}, "authority of client certificates: open DIR/none: no such file or directory"},
		{"empty authority", Files{Cert: "cert", Key: "key", ClientCA: "key", Clients: RequireClientCerts}, "authority of client certificates: DIR/key holds no PEM block CERTIFICATE"},
		{"garbage authority", Files{Cert: "cert", Key: "key", ClientCA: "garbage", Clients: RequireClientCerts}, "authority of client certificates: DIR/garbage: certificate 1: x509: malformed certificate"},
		{"unnamed authority", Files{Cert: "cert", Key: "key", Clients: OptionalClientCerts}, "client certificates are asked for and no authority is named that signs them"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, name := range []*string{&test.files.Cert, &test.files.Key, &test.files.ClientCA} {
				if *name != "" {
					*name = filepath.Join(dir, *name)
				}
			}
			_, err := LoadCertificates(test.files, nil)
			if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestTLSVersions(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, nil, "the authority", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	certificates, err := LoadCertificates(Files{Cert: write(t, dir, "c", cert), Key: write(t, dir, "k", key)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for version, good := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		l := loopback(t, Config{TLS: certificates.Config()})
		greet(t, l, "hello")
		_, err := handshake(l, &tls.Config{RootCAs: ca.Pool(), ServerName: "one.test", MinVersion: version, MaxVersion: version})
		if (err == nil) != good {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	ca, _, _ := issue(t, nil, "the authority", nil)
	stranger, _, _ := issue(t, nil, "a stranger", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	client := func(by *certificate.Authority) []tls.Certificate {
		_, cert, key := issue(t, by, "client.test", nil)
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{pair}
	}
	tests := []struct {
		name    string
		clients ClientCerts
		certs   []tls.Certificate
		good    bool
	}{
		{"not asked", NoClientCerts, client(stranger), true},
		{"optional, none", OptionalClientCerts, nil, true},
		{"optional, good", OptionalClientCerts, client(ca), true},
		{"optional, a stranger's", OptionalClientCerts, client(stranger), false},
		{"required, none", RequireClientCerts, nil, false},
		{"required, good", RequireClientCerts, client(ca), true},
		{"required, a stranger's", RequireClientCerts, client(stranger), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			files := Files{Cert: write(t, dir, "c", cert), Key: write(t, dir, "k", key), ClientCA: write(t, dir, "ca", ca.PEM), Clients: test.clients}
			certificates, err := LoadCertificates(files, nil)
			if err != nil {
				t.Fatal(err)
			}
			l := loopback(t, Config{TLS: certificates.Config()})
			greet(t, l, "hello")
			// GetClientCertificate sends it whatever authorities the server names.
			_, err = handshake(l, &tls.Config{
				RootCAs: ca.Pool(), ServerName: "one.test",
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					if test.certs == nil {
						return new(tls.Certificate), nil
					}
					return &test.certs[0], nil
				},
			})
			if (err == nil) != test.good {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A client whose authority has left the file does not come in again, not even with a
// session ticket.
func TestClientAuthorityRevoked(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, nil, "the authority", nil)
	next, _, _ := issue(t, nil, "the next authority", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	files := Files{Cert: write(t, dir, "c", cert), Key: write(t, dir, "k", key), ClientCA: write(t, dir, "ca", ca.PEM), Clients: RequireClientCerts}
	certificates, err := LoadCertificates(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, cert, key = issue(t, ca, "client.test", nil)
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{RootCAs: ca.Pool(), ServerName: "one.test", Certificates: []tls.Certificate{pair}, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	l := loopback(t, Config{TLS: certificates.Config()})
	greet(t, l, "hello")
	if _, err := handshake(l, client); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files.ClientCA, []byte(next.PEM), 0o600); err != nil {
		t.Fatal(err)
	}
	if changed, err := certificates.Reload(); !changed || err != nil {
		t.Fatalf("changed %t, error %v", changed, err)
	}
	l = loopback(t, Config{TLS: certificates.Config()})
	greet(t, l, "hello")
	if _, err := handshake(l, client); err == nil {
		t.Error("a client of the old authority came in")
	}
}
