package forward_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sockmux/sockmux/internal/test/certificate"
	"github.com/sockmux/sockmux/internal/test/product"
)

// serverName is the name of the server, which only the proxy of a test resolves.
const serverName = "tunnel.test"

// secure starts a server with a certificate for serverName, and returns a file with its
// authority.
func secure(t *testing.T, flags ...string) (server *product.Server, ca string) {
	t.Helper()
	public := certificate.Issue(t, nil, "an authority")
	own := certificate.Issue(t, public, serverName)
	server = product.Start(t, append(flags, "--allow", "127.0.0.1",
		"--tls-cert", file(t, "cert.pem", own.PEM), "--tls-key", file(t, "key.pem", own.KeyPEM(t)))...)
	return server, file(t, "ca.pem", public.PEM)
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// connectProxy is an HTTP proxy that takes CONNECT for serverName:443 only, and leads to an
// address. It returns its own, and how many requests it has taken.
func connectProxy(t *testing.T, to string) (address string, taken *atomic.Int64) {
	t.Helper()
	taken = new(atomic.Int64)
	var tasks sync.WaitGroup
	t.Cleanup(tasks.Wait) // behind the clients
	target := product.Target(t, func(c *net.TCPConn) {
		reader := bufio.NewReader(c)
		request, err := http.ReadRequest(reader)
		if err != nil || request.Method != http.MethodConnect || request.Host != serverName+":443" {
			_, _ = io.WriteString(c, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
			return
		}
		taken.Add(1)
		server, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer server.Close()
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		tasks.Go(func() {
			_, _ = io.Copy(c, server)
			_ = c.Close()
		})
		_, _ = io.Copy(server, reader)
	})
	return target.String(), taken
}

// The command goes through the proxy of the environment, as other programs do.
func TestProxyOfTheEnvironment(t *testing.T) {
	server, ca := secure(t)
	address, taken := connectProxy(t, server.Addr())
	c := command(t, "forward", "--server", "https://"+serverName+"/", "0", upper(t))
	c.Env = append(os.Environ(), "HTTPS_PROXY=http://"+address, "NO_PROXY=", "SSL_CERT_FILE="+ca)
	local := started(t, c)
	wantAnswer(t, func() (net.Conn, error) { return net.Dial("tcp", local) })
	if taken.Load() != 1 {
		t.Errorf("the proxy has taken %d requests, want 1", taken.Load())
	}
}

// Without the certificate that the server asks for, the command says so; with it, it works.
func TestClientCertificate(t *testing.T) {
	clients := certificate.Issue(t, nil, "the clients' authority")
	alice := certificate.Issue(t, clients, "alice")
	server, ca := secure(t, "--auth-client-cert", "cn", "--tls-client-cert", "required", "--tls-client-ca", file(t, "clients.pem", clients.PEM))
	target := upper(t)
	flags := []string{"forward", "--server", server.URL(), "--ca", ca}
	code, _, stderr := product.Run(t, append(flags, "-", target)...)
	if code != 1 || !strings.Contains(stderr, "certificate") {
		t.Errorf("without a certificate: exit code %d, stderr %q", code, stderr)
	}
	cert, key := file(t, "alice.pem", alice.PEM), file(t, "alice-key.pem", alice.KeyPEM(t))
	local := listening(t, append(flags, "--cert", cert, "--key", key, "0", target)...)
	wantAnswer(t, func() (net.Conn, error) { return net.Dial("tcp", local) })
	server.WaitLog(`"identity":"alice"`)
}
