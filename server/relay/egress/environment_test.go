package egress

import (
	"io"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

func getenv(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestEnvironmentChooses(t *testing.T) {
	public, private := netip.MustParseAddrPort("192.0.2.1:443"), netip.MustParseAddrPort("10.1.2.3:8080")
	type env = map[string]string
	const direct = "direct"
	for _, test := range []struct {
		name string
		env  env
		host string
		addr netip.AddrPort
		want string
	}{
		{"nothing", env{}, "a.example", public, direct},
		{"HTTP_PROXY is for others", env{"HTTP_PROXY": "http://p.example:1"}, "a.example", public, direct},
		{"HTTPS_PROXY", env{"HTTPS_PROXY": "http://p.example:1", "ALL_PROXY": "socks5://q.example:2"}, "a.example", public, "p.example:1"},
		{"small letters first", env{"HTTPS_PROXY": "http://p.example:1", "https_proxy": "http://q.example:2"}, "a.example", public, "q.example:2"},
		{"ALL_PROXY", env{"ALL_PROXY": "socks5://q.example"}, "a.example", public, "q.example:1080"},
		{"without a scheme", env{"https_proxy": " p.example:3128 "}, "a.example", public, "p.example:3128"},
		{"excepted name", env{"all_proxy": "http://p.example:1", "no_proxy": "a.example"}, "b.A.example.", public, direct},
		{"other name", env{"all_proxy": "http://p.example:1", "no_proxy": "a.example"}, "ba.example", public, "p.example:1"},
		{"subdomains only", env{"all_proxy": "http://p.example:1", "NO_PROXY": ".a.example"}, "a.example", public, "p.example:1"},
		{"name and port", env{"all_proxy": "http://p.example:1", "NO_PROXY": "a.example:443"}, "a.example", public, direct},
		{"name and other port", env{"all_proxy": "http://p.example:1", "NO_PROXY": "a.example:444"}, "a.example", public, "p.example:1"},
		{"excepted network", env{"all_proxy": "http://p.example:1", "no_proxy": "x, 10.0.0.0/8"}, "a.example", private, direct},
		{"excepted address", env{"all_proxy": "http://p.example:1", "no_proxy": "10.1.2.3"}, "", private, direct},
		{"other address", env{"all_proxy": "http://p.example:1", "no_proxy": "10.1.2.4"}, "10.1.2.3", private, "p.example:1"},
		{"all excepted", env{"all_proxy": "http://p.example:1", "no_proxy": "*"}, "a.example", public, direct},
		{"loopback", env{"all_proxy": "http://p.example:1"}, "a.example", netip.MustParseAddrPort("127.0.0.1:1"), direct},
		{"localhost", env{"all_proxy": "http://p.example:1"}, "localhost", netip.MustParseAddrPort("[::1]:1"), direct},
	} {
		t.Run(test.name, func(t *testing.T) {
			dialer := open(t, Config{Proxy: FromEnvironment, Getenv: getenv(test.env)})
			got := direct
			if e, ok := dialer.(*environment); ok {
				if p, ok := e.way(wire.ParseHost(test.host), test.addr).(*proxy); ok {
					got = p.address
				}
			}
			if got != test.want {
				t.Errorf("%s; want %s", got, test.want)
			}
		})
	}
}

// The same through sockets: with the exception the proxy is not asked.
func TestEnvironmentDials(t *testing.T) {
	var log asked
	proxy := "socks5://" + serve(t, socksProxy(&log, "", []byte{5, 5})).String()
	env := map[string]string{"all_proxy": proxy}
	target := netip.MustParseAddrPort("192.0.2.1:9")
	_, err := open(t, Config{Proxy: FromEnvironment, Getenv: getenv(env)}).DialContext(deadline(t), wire.ParseHost("a.example"), target, allow)
	wantError(t, err, "refused: 192.0.2.1:9: the target refused the connection", "")
	if log.String() != target.String() {
		t.Errorf("the proxy was asked for %q", &log)
	}

	conn, err := open(t, Config{Proxy: FromEnvironment, Getenv: getenv(env)}).DialContext(deadline(t), wire.ParseHost("localhost"), serve(t, afterwards), allow)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.CloseWrite()
	if got, err := io.ReadAll(conn); err != nil || string(got) != "got " {
		t.Errorf("%q, %v", got, err)
	}
}

func TestEnvironmentErrors(t *testing.T) {
	const want = "want http://, https:// or socks5://[USER:PASSWORD@]HOST[:PORT]"
	for _, test := range []struct{ name, value, want string }{
		{"HTTPS_PROXY", "gopher://u:secret@p.example", `HTTPS_PROXY: the proxy "gopher://u:xxxxx@p.example" is not a proxy URL: ` + want},
		{"all_proxy", "http://%zz", "all_proxy: the proxy is not a URL: " + want},
		{"ALL_PROXY", "http://:p@p.example", "ALL_PROXY: the proxy's credentials: its URL: the user is empty or has a colon"},
	} {
		_, err := New(Config{Proxy: FromEnvironment, Getenv: getenv(map[string]string{test.name: test.value})})
		if err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}
