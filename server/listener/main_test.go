package listener

import (
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/certificate"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// issue makes a certificate for a name and returns the texts of its files. A nil by makes it
// an authority of its own.
func issue(t *testing.T, by *certificate.Authority, name string, change func(*x509.Certificate)) (made *certificate.Authority, cert, key string) {
	t.Helper()
	made = certificate.IssueChanged(t, by, name, func(c *x509.Certificate) {
		c.IPAddresses = nil // the name alone
		if change != nil {
			change(c)
		}
	})
	return made, made.PEM, made.KeyPEM(t)
}

// write puts a file into dir and returns its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lines is a logger's output.
type lines struct{ servertest.Log }

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// loopback listens on a free port for the test.
func loopback(t *testing.T, config Config) net.Listener {
	t.Helper()
	config.Address = "127.0.0.1:0"
	l, err := Listen(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
