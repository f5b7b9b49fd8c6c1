package proxies_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// nginxMain is the file that includes a site's, as a distribution's does. Old processes
// keep their WebSockets after a reload; here they have a moment.
const nginxMain = `daemon off;
%[2]s
pid %[1]s/pid;
error_log stderr notice;
worker_processes 1;
worker_shutdown_timeout 300ms;
events { worker_connections 256; }
http {
    access_log off;
    gzip on;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
    include %[1]s/sockmux.conf;
}
`

// startNginx runs nginx with the example, below a prefix, in front of a server that has
// more flags than the example's.
func startNginx(t *testing.T, prefix string, change func(*example), flags ...string) *front {
	t.Helper()
	program, dir := find(t, "nginx"), folder(t)
	roots, cert, key := authority(t, dir)
	e := readExample(t, "nginx.conf")
	e.prefix(t, prefix)
	token := e.authenticate(t, dir)
	s := startServer(t, append(e.flags, flags...)...)
	e.replace(t, "127.0.0.1:8088", s.addr)
	e.replace(t, "/etc/nginx/tls/"+host+".pem", cert)
	e.replace(t, "/etc/nginx/tls/"+host+".key", key)
	if change != nil {
		change(e)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // or its processes could not write into the folder
	}
	conf := filepath.Join(dir, "nginx.conf")
	put(t, conf, fmt.Sprintf(nginxMain, dir, user))
	arguments := []string{"-e", "stderr", "-p", dir, "-c", conf}
	_, addr := startProxy(t, func(port string) *exec.Cmd {
		site := *e
		site.replace(t, "listen 443 ssl", "listen 127.0.0.1:"+port+" ssl")
		site.replace(t, "listen [::]:443 ssl;", ipv6("listen [::1]:"+port+" ssl;"))
		site.write(t, filepath.Join(dir, "sockmux.conf"))
		return exec.Command(program, arguments...)
	})
	return &front{
		addr: addr, host: host, roots: roots, prefix: prefix, token: token, servers: []*server{s}, origins: []string{"https://" + host, "https://page.example.org"},
		reload: func(t *testing.T) { must(t, program, append(arguments, "-s", "reload")...) },
	}
}

// ipv6 gives the text, or nothing where this machine has no IPv6.
func ipv6(text string) string {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return ""
	}
	_ = l.Close() // it was only a question
	return text
}

func TestNginx(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"/sockmux/", "/"} {
		t.Run(prefix, func(t *testing.T) {
			f := startNginx(t, prefix, nil)
			check(t, f)
			t.Run("own page", func(t *testing.T) { checkOwnPage(t, *f) })
		})
	}
	impatient := func(e *example) {
		e.replace(t, "proxy_read_timeout 1h", fmt.Sprintf("proxy_read_timeout %dms", idleTimeout.Milliseconds()))
		e.replace(t, "proxy_send_timeout 1h", fmt.Sprintf("proxy_send_timeout %dms", idleTimeout.Milliseconds()))
	}
	t.Run("idle", func(t *testing.T) {
		checkIdle(t, startNginx(t, "/sockmux/", impatient, "--keepalive", keepalive.String()))
	})
	t.Run("idle without pings", func(t *testing.T) {
		checkIdleBites(t, startNginx(t, "/sockmux/", impatient, "--keepalive", "1m"))
	})
}

// checkOwnPage: at an address the server's own page may connect without a word in the
// configuration, as Host arrives whole; the same page over http may not, as
// X-Forwarded-Proto tells how the browser came.
func checkOwnPage(t *testing.T, f front) {
	f.host, f.origins = f.addr, []string{"https://" + f.addr}
	checkOrigins(t, &f)
}
