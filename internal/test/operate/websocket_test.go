package operate_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/certificate"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/message"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestSecureWebSockets: the server trusts the targets of wss: that its system trusts, and the
// authorities of SSL_CERT_FILE. What is wrong with another certificate is told.
func TestSecureWebSockets(t *testing.T) {
	own, stranger := certificate.Issue(t, nil, "own.test"), certificate.Issue(t, nil, "stranger.test")
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, []byte(own.PEM), 0o600); err != nil {
		t.Fatal(err)
	}
	server := product.StartEnv(t, []string{"SSL_CERT_FILE=" + roots}, "--allow", "127.0.0.1")
	c := client.New(client.Config{Dial: product.Transport(server.ConnectURL())})
	defer c.Close()
	for _, test := range []struct {
		what   string
		issued *certificate.Authority
		text   string // of the refusal; empty: there is none
	}{
		{"a certificate of the authority", certificate.Issue(t, own, "target.test"), ""},
		{"one of an authority that is not trusted", certificate.Issue(t, stranger, "target.test"), "x509: certificate signed by unknown authority"},
		{"one that signs itself", certificate.Issue(t, nil, "target.test"), "x509: certificate signed by unknown authority"},
		{"one that has expired", certificate.IssueChanged(t, own, "target.test", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
		}), "x509: certificate has expired"},
		{"one of another host", certificate.IssueChanged(t, own, "target.test", func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 9)}
		}), "x509: certificate is valid for 127.0.0.9, not 127.0.0.1"},
	} {
		t.Run(test.what, func(t *testing.T) {
			at := secureEcho(t, test.issued)
			stream, err := c.Open(wire.Request{Kind: wire.WebSocket, Host: wire.HostOf(at.Addr()), Port: at.Port()})
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			open, err := message.Open{TLS: true, Resource: "/"}.Append(nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Write(message.Record{Kind: message.Text, Last: true, Payload: []byte("hello")}.Append(open)); err != nil {
				t.Fatal(err)
			}
			if test.text == "" {
				want := string(message.Record{Kind: message.Text, Last: true, Payload: []byte("hello")}.Append([]byte{0}))
				got := make([]byte, len(want))
				if _, err := io.ReadFull(stream, got); err != nil || string(got) != want {
					t.Errorf("%q, %v; want %q", got, err, want)
				}
				return
			}
			_, err = io.ReadAll(stream)
			var coded *wire.Error
			if !errors.As(err, &coded) || coded.Code != wire.Refused || !strings.Contains(coded.Text, test.text) {
				t.Errorf("%v, want refused: %s", err, test.text)
			}
		})
	}
}

// secureEcho serves WebSockets over TLS that send each message back.
func secureEcho(t *testing.T, issued *certificate.Authority) netip.AddrPort {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		for {
			kind, b, err := ws.Read(r.Context())
			if err != nil {
				return // the client's end
			}
			if err := ws.Write(r.Context(), kind, b); err != nil {
				t.Error(err)
			}
		}
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that fail
	server.TLS = &tls.Config{Certificates: []tls.Certificate{issued.Pair()}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return netip.MustParseAddrPort(server.Listener.Addr().String())
}
