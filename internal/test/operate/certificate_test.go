package operate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/certificate"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// line is how a client reaches the server: with a certificate or without one.
type line struct {
	url   string
	roots *x509.CertPool

	mu   sync.Mutex
	show *certificate.Authority // the next connection's; nil: none
	conn net.Conn               // the last one
}

func (l *line) dial(ctx context.Context) (link.Carrier, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	config := &tls.Config{RootCAs: l.roots, MinVersion: tls.VersionTLS12}
	if l.show != nil {
		config.Certificates = []tls.Certificate{l.show.Pair()}
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		l.conn = conn
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	return websocket.Dial(ctx, l.url, &http.Client{Transport: transport}, nil)
}

// next sets what the next connection shows, and cuts the present one.
func (l *line) next(show *certificate.Authority) {
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
func start(t *testing.T, clients *certificate.Authority, flags ...string) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), roots: x509.NewCertPool()}
	public := certificate.Issue(t, nil, "the server's authority")
	own := certificate.Issue(t, public, "tunnel.test")
	w.roots.AddCert(public.Certificate)
	w.Server = product.Start(t, append(flags, "--allow", "127.0.0.1",
		"--tls-cert", file(t, w.dir, "cert.pem", own.PEM), "--tls-key", file(t, w.dir, "key.pem", own.KeyPEM(t)),
		"--tls-client-ca", file(t, w.dir, "clients.pem", clients.PEM))...)
	return w
}

// open opens a session over a line that shows a certificate, and a stream in it.
func (w *world) open(t *testing.T, show *certificate.Authority, token string) (*line, *mux.Stream) {
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
			leaving, staying := certificate.Issue(t, nil, "leaving"), certificate.Issue(t, nil, "staying")
			w := start(t, leaving, test.flags...)
			file(t, w.dir, "clients.pem", leaving.PEM+staying.PEM)
			w.Signal(syscall.SIGHUP)
			w.WaitLog(`"reloaded"`)
			_, lost := w.open(t, certificate.Issue(t, leaving, "alice"), test.token)
			_, kept := w.open(t, certificate.Issue(t, staying, "bob"), test.token)
			file(t, w.dir, "clients.pem", staying.PEM)
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
	clients := certificate.Issue(t, nil, "clients")
	w := start(t, clients, "--tls-client-cert", "optional", "--auth-client-cert", "cn")
	alice := certificate.Issue(t, clients, "alice")
	for name, test := range map[string]struct {
		show *certificate.Authority
		want wire.Code
	}{
		"none":       {nil, wire.Unauthorized},
		"another's":  {certificate.Issue(t, clients, "mallory"), wire.Unauthorized},
		"the same":   {alice, wire.OK},
		"a newer of": {certificate.Issue(t, clients, "alice"), wire.OK},
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
