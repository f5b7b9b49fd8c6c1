package operate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

// issue makes a certificate for a name, signed by parent or, where that is nil, by itself.
func issue(t *testing.T, parent *authority, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour),
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		BasicConstraintsValid: true, IsCA: parent == nil,
	}
	signer := &authority{template, key, ""}
	if parent != nil {
		signer = parent
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer.certificate, key.Public(), signer.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{certificate, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// keyPEM is the private key in a file's form.
func (a *authority) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// line is how a client reaches the server: with a certificate or without one.
type line struct {
	url   string
	roots *x509.CertPool

	mu   sync.Mutex
	show *authority // the next connection's; nil: none
	conn net.Conn   // the last one
}

func (l *line) dial(ctx context.Context) (link.Carrier, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	config := &tls.Config{RootCAs: l.roots, MinVersion: tls.VersionTLS12}
	if l.show != nil {
		config.Certificates = []tls.Certificate{{Certificate: [][]byte{l.show.certificate.Raw}, PrivateKey: l.show.key}}
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		l.conn = conn
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	c, err := websocket.Dial(ctx, l.url, &http.Client{Transport: transport}, nil)
	if err != nil {
		return nil, err // not c: a nil *Conn is no nil Carrier
	}
	return c, nil
}

// next sets what the next connection shows, and cuts the present one.
func (l *line) next(show *authority) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.show = show
	_ = l.conn.Close() // it may be lost already
}

// world is a server that asks for client certificates.
type world struct {
	*product.Server
	dir   string
	roots *x509.CertPool
}

// start starts a server that takes certificates of an authority.
func start(t *testing.T, clients *authority, flags ...string) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), roots: x509.NewCertPool()}
	public := issue(t, nil, "the server's authority")
	own := issue(t, public, "tunnel.test")
	w.roots.AddCert(public.certificate)
	w.Server = product.Start(t, append(flags, "--allow", "127.0.0.1",
		"--tls-cert", file(t, w.dir, "cert.pem", own.pem), "--tls-key", file(t, w.dir, "key.pem", own.keyPEM(t)),
		"--tls-client-ca", file(t, w.dir, "clients.pem", clients.pem))...)
	return w
}

// open opens a session over a line that shows a certificate, and a stream in it.
func (w *world) open(t *testing.T, show *authority, token string) (*line, *mux.Stream) {
	t.Helper()
	l := &line{url: w.ConnectURL(), roots: w.roots, show: show}
	c := client.New(client.Config{Dial: l.dial, Token: func() string { return token }})
	t.Cleanup(c.Close)
	s := product.Open(t, c, product.Echo(t))
	say(t, s, "hello")
	return l, s
}

// within returns the error of f, which must return within patience. Otherwise f goes on until
// the client ends.
func within(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatalf("%s takes too long", what)
		return nil
	}
}

// say wants an echo.
func say(t *testing.T, s *mux.Stream, text string) {
	t.Helper()
	got := make([]byte, len(text))
	err := within(t, "the echo", func() error {
		if _, err := io.WriteString(s, text); err != nil {
			return err
		}
		_, err := io.ReadFull(s, got)
		return err
	})
	if err != nil || string(got) != text {
		t.Fatalf("echo %q, error %v", got, err)
	}
}

// ended waits for the end of a stream and wants that code.
func ended(t *testing.T, s *mux.Stream, want wire.Code) {
	t.Helper()
	err := within(t, "the stream's end", func() error {
		_, err := s.Read(make([]byte, 1))
		return err
	})
	var e *wire.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Errorf("the stream ended with %v, want %s", err, want)
	}
}

// A session ends when the authority of its client's certificate is taken away, whether the
// certificate is the client's identity or only the condition of a connection.
func TestAuthorityTakenAway(t *testing.T) {
	dir := t.TempDir()
	token := auth.NewToken()
	tokenLine, err := auth.Line("alice", token, "", time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	tokens := file(t, dir, "tokens", tokenLine+"\n")
	for name, test := range map[string]struct {
		flags []string
		token string
		hup   bool // otherwise the server sees the change of the file by itself
	}{
		"identity":  {[]string{"--tls-client-cert", "optional", "--auth-client-cert", "cn"}, "", true},
		"condition": {[]string{"--tls-client-cert", "required", "--token-file", tokens}, token, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaving, staying := issue(t, nil, "leaving"), issue(t, nil, "staying")
			w := start(t, leaving, test.flags...)
			file(t, w.dir, "clients.pem", leaving.pem+staying.pem)
			w.Signal(syscall.SIGHUP)
			w.WaitLog(`"reloaded"`)
			_, lost := w.open(t, issue(t, leaving, "alice"), test.token)
			_, kept := w.open(t, issue(t, staying, "bob"), test.token)
			file(t, w.dir, "clients.pem", staying.pem)
			if test.hup {
				w.Signal(syscall.SIGHUP)
			}
			ended(t, lost, wire.Expired)
			say(t, kept, "still here")
		})
	}
}

// A session that was opened with a certificate is resumed with one of the same holder, and by
// nothing else.
func TestResumeNeedsTheCertificate(t *testing.T) {
	clients := issue(t, nil, "clients")
	w := start(t, clients, "--tls-client-cert", "optional", "--auth-client-cert", "cn")
	alice := issue(t, clients, "alice")
	for name, test := range map[string]struct {
		show *authority
		want wire.Code
	}{
		"none":       {nil, wire.Unauthorized},
		"another's":  {issue(t, clients, "mallory"), wire.Unauthorized},
		"the same":   {alice, wire.OK},
		"a newer of": {issue(t, clients, "alice"), wire.OK},
	} {
		t.Run(name, func(t *testing.T) {
			l, s := w.open(t, alice, "")
			l.next(test.show)
			if test.want == wire.OK {
				say(t, s, "back again")
			} else {
				ended(t, s, test.want)
			}
		})
	}
}
