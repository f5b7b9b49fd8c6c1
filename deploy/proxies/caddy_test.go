package proxies_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sockmux/sockmux/internal/test/ports"
)

// caddyMain stands around the example: Caddy's own authority in place of a public one,
// and no port that needs rights.
const caddyMain = `{
	admin unix/%[1]s/admin
	http_port %[3]s
	https_port %[2]s
	default_bind 127.0.0.1
	local_certs
	skip_install_trust
	storage file_system %[1]s/data
	servers {
		timeouts {
			idle %[4]s
		}
	}
}
import %[1]s/Caddyfile
`

// startCaddy runs Caddy with the example, below a prefix.
func startCaddy(t *testing.T, prefix string, flags ...string) *front {
	t.Helper()
	program, dir := find(t, "caddy"), folder(t)
	e := readExample(t, "Caddyfile")
	if prefix == "/" {
		e.replace(t, "redir /sockmux /sockmux/ permanent", "") // nothing is without its last slash there
	}
	e.prefix(t, prefix)
	token := e.authenticate(t, dir)
	s := startServer(t, append(e.flags, flags...)...)
	e.replace(t, "127.0.0.1:8088", s.addr)
	e.write(t, filepath.Join(dir, "Caddyfile"))
	conf := filepath.Join(dir, "main")
	command := func(args ...string) *exec.Cmd {
		c := exec.Command(program, args...)
		c.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		return c
	}
	_, addr := startProxy(t, func(port string) *exec.Cmd {
		put(t, conf, fmt.Sprintf(caddyMain, dir, port, ports.FreeFor(t), idleTimeout))
		return command("run", "--config", conf, "--adapter", "caddyfile")
	})
	f := &front{addr: addr, host: host, prefix: prefix, token: token, servers: []*server{s}, origins: []string{"https://" + host, "https://page.example.org"}}
	f.reload = func(t *testing.T) {
		if out, err := command("reload", "--force", "--config", conf, "--adapter", "caddyfile", "--address", "unix/"+dir+"/admin").CombinedOutput(); err != nil {
			t.Fatalf("reload: %v\n%s", err, out)
		}
	}
	f.roots = x509.NewCertPool()
	eventually(t, "Caddy has a certificate of its own authority", func() bool {
		root, err := os.ReadFile(filepath.Join(dir, "data", "pki", "authorities", "local", "root.crt"))
		if err != nil || !f.roots.AppendCertsFromPEM(root) {
			return false
		}
		conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: f.roots, ServerName: host, MinVersion: tls.VersionTLS12})
		if err == nil {
			_ = conn.Close() // it was only a question
		}
		return err == nil
	})
	return f
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/sockmux/", "/"} {
		t.Run(prefix, func(t *testing.T) { check(t, startCaddy(t, prefix)) })
	}
	// Caddy has no timeout for WebSockets; that of connections without a request must not
	// reach them.
	t.Run("idle", func(t *testing.T) { checkIdle(t, startCaddy(t, "/sockmux/", "--keepalive", keepalive.String())) })
}
