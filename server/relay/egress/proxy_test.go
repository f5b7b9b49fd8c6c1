package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// secureProxy is the CONNECT proxy behind TLS.
func secureProxy(t *testing.T, log *asked) (address string, config *tls.Config) {
	t.Helper()
	borrowed := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer borrowed.Close()
	pool := x509.NewCertPool()
	pool.AddCert(borrowed.Certificate())
	handle := httpProxy(log, "")
	addr := serve(t, func(conn net.Conn) {
		secure := tls.Server(conn, &tls.Config{Certificates: borrowed.TLS.Certificates})
		defer secure.Close()
		handle(secure)
	})
	return "https://" + addr.String(), &tls.Config{RootCAs: pool}
}

// Through every kind of proxy a half-close arrives at the target and its answer comes
// back, and the proxy is asked for the address that was checked.
func TestThroughProxies(t *testing.T) {
	target := serve(t, afterwards)
	var log asked
	secure, config := secureProxy(t, &log)
	for _, test := range []struct {
		name, proxy, file string
		asked             string
		local             string
	}{
		{name: "http", proxy: "http://" + serve(t, httpProxy(&log, "")).String(), asked: "CONNECT " + target.String() + " " + target.String()},
		{name: "http with credentials", proxy: "http://us%20er:p%40ss@" + serve(t, httpProxy(&log, "")).String(), asked: "CONNECT " + target.String() + " " + target.String() + " Basic dXMgZXI6cEBzcw=="},
		{name: "http with a file", proxy: "http://" + serve(t, httpProxy(&log, "")).String() + "/", file: "user:pa:ss\r\nmore", asked: "CONNECT " + target.String() + " " + target.String() + " Basic dXNlcjpwYTpzcw=="},
		{name: "https", proxy: secure, asked: "CONNECT " + target.String() + " " + target.String()},
		{name: "socks5", proxy: "socks5://" + serve(t, socksProxy(&log, "", nil)).String(), asked: target.String(), local: "203.0.113.7:4660"},
		{name: "socks5h with credentials", proxy: "socks5h://u:p@" + serve(t, socksProxy(&log, "u:p", nil)).String(), asked: target.String(), local: "203.0.113.7:4660"},
		{name: "socks5 that wants none", proxy: "socks5://u:p@" + serve(t, socksProxy(&log, "", nil)).String(), asked: target.String(), local: "203.0.113.7:4660"},
		{name: "none", proxy: ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Proxy: test.proxy, TLS: config}
			if test.file != "" {
				c.CredentialsFile = write(t, test.file)
			}
			before := log.String()
			var checked []netip.AddrPort
			conn, err := open(t, c).DialContext(deadline(t), wire.ParseHost("name.example"), target, func(addr netip.AddrPort) error {
				checked = append(checked, addr)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "hello"); err != nil {
				t.Fatal(err)
			}
			if err := conn.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); err != nil || string(got) != "got hello" {
				t.Errorf("%q, %v", got, err)
			}
			if len(checked) != 1 || checked[0] != target {
				t.Errorf("checked %v; want %s once", checked, target)
			}
			if got := strings.TrimPrefix(strings.TrimPrefix(log.String(), before), ", "); got != test.asked {
				t.Errorf("the proxy was asked for %q; want %q", got, test.asked)
			}
			if remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort(); remote != target {
				t.Errorf("remote %s; want the target's %s", remote, target)
			}
			local := ""
			if conn.LocalAddr() != nil {
				local = conn.LocalAddr().String()
			}
			if local != test.local && test.proxy != "" {
				t.Errorf("local %q; want %q", local, test.local)
			}
			if _, err := conn.SyscallConn(); err != nil {
				t.Error(err)
			}
			if err := conn.SetLinger(0); err != nil {
				t.Error(err)
			}
		})
	}
}

// What a proxy sends behind its answer, in the same segment, is the target's.
func TestDataBehindTheAnswer(t *testing.T) {
	for scheme, answer := range map[string]string{
		"http":   "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\nX: y\n\nbanner",
		"socks5": "\x05\x00" + "\x05\x00\x00\x03\x04name\x00\x01banner",
	} {
		addr := serve(t, func(conn net.Conn) {
			if scheme == "socks5" {
				_, _ = io.ReadFull(conn, make([]byte, 3))
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
		})
		conn, err := open(t, Config{Proxy: scheme + "://" + addr.String()}).DialContext(deadline(t), wire.Host{}, netip.MustParseAddrPort("192.0.2.1:25"), allow)
		if err != nil {
			t.Fatalf("%s: %v", scheme, err)
		}
		if got, err := io.ReadAll(conn); err != nil || string(got) != "banner" {
			t.Errorf("%s: %q, %v", scheme, got, err)
		}
		conn.Close()
	}
}

func TestHTTPRefusals(t *testing.T) {
	target := netip.MustParseAddrPort("[2001:db8::1]:443")
	for answer, want := range map[string]string{
		"HTTP/1.1 403 Forbidden\r\n\r\n":                                "denied: [2001:db8::1]:443: the upstream proxy forbids the target",
		"HTTP/1.1 404 Not Found\r\n\r\n":                                "denied: [2001:db8::1]:443: the upstream proxy forbids the target",
		"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n":            "internal: the server's upstream proxy does not take the server's credentials",
		"HTTP/1.1 408 Request Timeout\r\n\r\n":                          "timed_out: [2001:db8::1]:443: the target did not answer in time",
		"HTTP/1.1 429 Too Many Requests\r\n\r\n":                        "limit: [2001:db8::1]:443: a limit of the upstream proxy is reached",
		"HTTP/1.1 500 Internal Server Error\r\n\r\n":                    "host_unreachable: [2001:db8::1]:443: no route to the host",
		"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad":      "host_unreachable: [2001:db8::1]:443: no route to the host",
		"HTTP/1.1 504 Gateway Timeout\r\n\r\n":                          "timed_out: [2001:db8::1]:443: the target did not answer in time",
		"HTTP/1.1 405 Method Not Allowed\r\n\r\n":                       "internal: the server's upstream proxy makes no connections",
		"HTTP/1.1 400 Bad Request\r\n\r\n":                              "internal: the server's upstream proxy makes no connections",
		"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n": "internal: the server's upstream proxy makes no connections",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n":                      "internal: the server's upstream proxy makes no connections",
		"SSH-2.0-OpenSSH_9\r\n\r\n":                                     "internal: the server's upstream proxy does not answer as a proxy",
		strings.Repeat("x", maxHead):                                    "internal: the server's upstream proxy does not answer as a proxy",
	} {
		var log asked
		addr := serve(t, httpProxy(&log, answer))
		_, err := open(t, Config{Proxy: "http://user:secret@" + addr.String()}).DialContext(deadline(t), wire.Host{}, target, allow)
		wantError(t, err, want, "")
		if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), addr.String()) {
			t.Errorf("the log is told %v; want the proxy and no password", err)
		}
	}
}

func TestSOCKSRefusals(t *testing.T) {
	target := netip.MustParseAddrPort("192.0.2.1:443")
	reply := func(n byte) []byte { return []byte{5, n} }
	for _, test := range []struct {
		name      string
		handle    func(*asked) func(net.Conn)
		page, log string
	}{
		{"1", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(1)) }, "internal: 192.0.2.1:443: the server failed", "internal: 192.0.2.1:443: the server failed: the proxy replies 1: general SOCKS server failure (PROXY)"},
		{"2", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(2)) }, "denied: 192.0.2.1:443: the upstream proxy forbids the target", ""},
		{"3", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(3)) }, "network_unreachable: 192.0.2.1:443: no route to the network", ""},
		{"4", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(4)) }, "host_unreachable: 192.0.2.1:443: no route to the host", ""},
		{"5", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(5)) }, "refused: 192.0.2.1:443: the target refused the connection", "refused: 192.0.2.1:443: the target refused the connection: the proxy replies 5: connection refused (PROXY)"},
		{"6", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(6)) }, "timed_out: 192.0.2.1:443: the target did not answer in time", ""},
		{"7", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(7)) }, "internal: 192.0.2.1:443: the server failed", ""},
		{"8", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(8)) }, "address_not_available: 192.0.2.1:443: the address cannot be used", ""},
		{"9", func(a *asked) func(net.Conn) { return socksProxy(a, "", reply(9)) }, "internal: the server's upstream proxy does not answer as a proxy", "internal: the server's upstream proxy does not answer as a proxy: PROXY: it replies 9, which means nothing"},
		{"address of type 9", func(a *asked) func(net.Conn) { return socksProxy(a, "", []byte{5, 0, 0, 9}) }, "internal: the server's upstream proxy does not answer as a proxy", "internal: the server's upstream proxy does not answer as a proxy: PROXY: it replies with an address of type 9"},
		{"reply of version 4", func(a *asked) func(net.Conn) { return socksProxy(a, "", []byte{4, 0}) }, "internal: the server's upstream proxy does not answer as a proxy", "internal: the server's upstream proxy does not answer as a proxy: PROXY: it replies with version 4; want 5"},
		{"wrong password", func(a *asked) func(net.Conn) { return socksProxy(a, "other:secret", nil) }, "internal: the server's upstream proxy does not take the server's credentials", "internal: the server's upstream proxy does not take the server's credentials: the proxy answers the password with status 1 (PROXY)"},
		{"no version 5", func(*asked) func(net.Conn) { return say("HT") }, "internal: the server's upstream proxy does not answer as a proxy", "internal: the server's upstream proxy does not answer as a proxy: PROXY: it answers with version 72; want 5"},
		{"no method", func(*asked) func(net.Conn) { return say("\x05\xff") }, "internal: the server's upstream proxy wants other credentials", "internal: the server's upstream proxy wants other credentials: the proxy takes none of the methods [0 2] (PROXY)"},
		{"strange method", func(*asked) func(net.Conn) { return say("\x05\x01") }, "internal: the server's upstream proxy does not answer as a proxy", "internal: the server's upstream proxy does not answer as a proxy: PROXY: it chose the method 1, which was not offered"},
		{"half an answer", func(*asked) func(net.Conn) { return say("\x05") }, "internal: the server's upstream proxy does not answer as a proxy", "internal: the server's upstream proxy does not answer as a proxy: PROXY: it closed the connection in the middle of the handshake"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log asked
			name := "socks5://" + serve(t, test.handle(&log)).String()
			_, err := open(t, Config{Proxy: strings.Replace(name, "//", "//user:secret@", 1)}).DialContext(deadline(t), wire.Host{}, target, allow)
			wantError(t, err, test.page, strings.ReplaceAll(test.log, "PROXY", name))
		})
	}
}

// say is a server that says that and then nothing.
func say(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
	}
}

func TestWantsCredentials(t *testing.T) {
	var log asked
	addr := serve(t, socksProxy(&log, "u:p", nil))
	_, err := open(t, Config{Proxy: "socks5://" + addr.String()}).DialContext(deadline(t), wire.Host{}, netip.MustParseAddrPort("192.0.2.1:1"), allow)
	wantError(t, err, "internal: the server's upstream proxy wants other credentials", "")
}

// What the check denies is not asked for, and no connection to the proxy is made.
func TestDeniedBeforeTheProxy(t *testing.T) {
	var log asked
	for _, proxy := range []string{"http://" + serve(t, httpProxy(&log, "")).String(), "socks5://" + serve(t, socksProxy(&log, "", nil)).String(), ""} {
		denied := wire.NewError(wire.Denied, "no")
		_, err := open(t, Config{Proxy: proxy}).DialContext(deadline(t), wire.Host{}, serve(t, afterwards), func(netip.AddrPort) error { return denied })
		if !errors.Is(err, denied) {
			t.Errorf("%s: %v", proxy, err)
		}
	}
	if log.String() != "" {
		t.Errorf("a proxy was asked for %s", &log)
	}
}

func TestProxyIsGone(t *testing.T) {
	gone := servertest.Refusing(t)
	_, err := open(t, Config{Proxy: "http://" + gone}).DialContext(deadline(t), wire.Host{}, netip.MustParseAddrPort("192.0.2.1:1"), allow)
	wantError(t, err, "network_unreachable: the server cannot reach its upstream proxy", "")
	if !strings.Contains(err.Error(), "connection refused") || !strings.Contains(err.Error(), gone) {
		t.Errorf("the log is told %v", err)
	}
}

func TestStrangeCertificate(t *testing.T) {
	var log asked
	address, _ := secureProxy(t, &log)
	_, err := open(t, Config{Proxy: address}).DialContext(deadline(t), wire.Host{}, netip.MustParseAddrPort("192.0.2.1:1"), allow)
	wantError(t, err, "internal: the server's upstream proxy does not answer as a proxy", "")
	if log.String() != "" {
		t.Errorf("the proxy was asked for %s", &log)
	}
}

func TestZone(t *testing.T) {
	_, err := open(t, Config{Proxy: "socks5://127.0.0.1:1"}).DialContext(deadline(t), wire.Host{}, netip.MustParseAddrPort("[fe80::1%eth0]:1"), allow)
	wantError(t, err, "address_not_available: [fe80::1%eth0]:1: a zone means nothing behind the upstream proxy", "")
}

// A proxy that is silent blocks no caller: the attempt ends with its context, with its cause,
// and the connection is let go.
func TestSilentProxy(t *testing.T) {
	gone := errors.New("gone")
	for _, scheme := range []string{"http", "https", "socks5"} {
		ctx, cancel := context.WithCancelCause(deadline(t))
		ended := make(chan error, 1)
		addr := serve(t, func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 1))
			cancel(gone)
			_, err := io.Copy(io.Discard, conn)
			ended <- err
		})
		_, err := open(t, Config{Proxy: scheme + "://" + addr.String()}).DialContext(ctx, wire.Host{}, netip.MustParseAddrPort("192.0.2.1:1"), allow)
		if !errors.Is(err, gone) || err.Error() != "connecting through the upstream proxy: gone" {
			t.Errorf("%s: %v", scheme, err)
		}
		if err := <-ended; err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: the proxy's end: %v", scheme, err)
		}
	}
}

func TestNewErrors(t *testing.T) {
	const want = "want http://, https:// or socks5://[USER:PASSWORD@]HOST[:PORT]"
	path := write(t, "secret\n")
	long := write(t, strings.Repeat("u", 256)+":p")
	missing := t.TempDir() + "/none"
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Proxy: "proxy.example:3128"}, `the proxy "proxy.example:3128" is not a proxy URL: ` + want},
		{Config{Proxy: "ftp://proxy.example"}, `the proxy "ftp://proxy.example" is not a proxy URL: ` + want},
		{Config{Proxy: "http://u:secret@"}, `the proxy "http://u:xxxxx@" is not a proxy URL: ` + want},
		{Config{Proxy: "http://u:secret@proxy.example/path"}, `the proxy "http://u:xxxxx@proxy.example/path" is not a proxy URL: ` + want},
		{Config{Proxy: "http://proxy.example:0"}, `the proxy "http://proxy.example:0" is not a proxy URL: ` + want},
		{Config{Proxy: "http://proxy.example:65536"}, `the proxy "http://proxy.example:65536" is not a proxy URL: ` + want},
		{Config{Proxy: "http://u:sec ret@proxy example"}, "the proxy is not a URL: " + want},
		{Config{Proxy: "http://:p@proxy.example"}, "the proxy's credentials: its URL: the user is empty or has a colon"},
		{Config{Proxy: "http://a%3ab:p@proxy.example"}, "the proxy's credentials: its URL: the user is empty or has a colon"},
		{Config{Proxy: "socks5://a:p%0a@proxy.example"}, "the proxy's credentials: its URL: the password has more than 255 bytes or control characters"},
		{Config{Proxy: "http://a:b@proxy.example", CredentialsFile: path}, `the proxy "http://a:xxxxx@proxy.example" has credentials in its URL and in the file ` + path + ": want one of them"},
		{Config{Proxy: "http://proxy.example", CredentialsFile: path}, "the proxy's credentials: " + path + ": want USER:PASSWORD in the first line"},
		{Config{Proxy: "http://proxy.example", CredentialsFile: long}, "the proxy's credentials: " + long + ": the user has more than 255 bytes or control characters"},
		{Config{Proxy: "http://proxy.example", CredentialsFile: missing}, "the proxy's credentials: open " + missing + ": no such file or directory"},
		{Config{CredentialsFile: path}, "there are credentials for a proxy, but there is no proxy"},
		{Config{Source: addrs("0.0.0.0")}, "the source address 0.0.0.0 cannot be connected from"},
		{Config{Source: addrs("224.0.0.1")}, "the source address 224.0.0.1 cannot be connected from"},
		{Config{Source: addrs("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.2")}, "the source addresses 192.0.2.1 and 192.0.2.2 are of one family: want at most one of each"},
		{Config{Interface: "none0"}, `the interface "none0": route ip+net: no such network interface`},
	} {
		if _, err := New(test.config); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

func addrs(list ...string) []netip.Addr {
	var parsed []netip.Addr
	for _, text := range list {
		parsed = append(parsed, netip.MustParseAddr(text))
	}
	return parsed
}

func TestDefaultPorts(t *testing.T) {
	for text, want := range map[string]string{
		"http://p.example": "p.example:80", "https://p.example/": "p.example:443", "socks5://[2001:db8::1]": "[2001:db8::1]:1080", "socks5h://p.example:9050": "p.example:9050",
	} {
		if got := open(t, Config{Proxy: text}).(*proxy).address; got != want {
			t.Errorf("%s: %s; want %s", text, got, want)
		}
	}
}

// No answer of a proxy, however it is cut or made up, does more than fail.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 407 X\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50", "\x05\x02\x01\x00\x05\x00\x00\x03\xff", "\x05\x00\x05\x05",
	} {
		f.Add([]byte(seed))
	}
	addr := netip.MustParseAddrPort("192.0.2.1:80")
	f.Fuzz(func(t *testing.T, answer []byte) {
		for name, ask := range map[string]func(net.Conn, netip.AddrPort) (netip.AddrPort, error){
			"http": connect(&credentials{"u", "p"}), "socks": socks5(&credentials{"u", "p"}),
		} {
			conn := &scripted{answer: answer}
			if _, err := ask(conn, addr); err != nil && strings.TrimSpace(err.Error()) == "" {
				t.Fatalf("%s: an error without a text", name)
			} else if err == nil && len(answer) == len(conn.answer) {
				t.Fatalf("%s: connected without an answer", name)
			}
		}
	})
}

// scripted is a connection that gives an answer and swallows the rest.
type scripted struct {
	net.Conn
	answer []byte
}

func (s *scripted) Write(b []byte) (int, error) { return len(b), nil }

func (s *scripted) Read(b []byte) (int, error) {
	if len(s.answer) == 0 {
		return 0, io.EOF
	}
	n := copy(b, s.answer)
	s.answer = s.answer[n:]
	return n, nil
}

// A connection whose attempt has ended while the proxy answered is not given out: its
// deadline has passed or is about to.
func TestEndedWhileTheProxyAnswers(t *testing.T) {
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(deadline(t))
	p := open(t, Config{Proxy: "http://" + serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }).String()}).(*proxy)
	p.ask = func(net.Conn, netip.AddrPort) (netip.AddrPort, error) {
		cancel(gone)
		return netip.AddrPort{}, nil
	}
	if conn, err := p.DialContext(ctx, wire.Host{}, netip.MustParseAddrPort("192.0.2.1:1"), allow); !errors.Is(err, gone) {
		t.Errorf("%v, %v; want the cause", conn, err)
	}
}
