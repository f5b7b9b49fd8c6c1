package reach_test

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/namespace"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// echo serves an address until the test's end.
func echo(t *testing.T, addr netip.AddrPort) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close() // it has no other fault than being closed
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(conn, conn) // the client tells the test what went wrong
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// The server's own public address is reached like a private one: by a rule with the address
// or the exact name, and by nothing else.
func TestOwnPublicAddress(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		own := netip.MustParseAddr("93.184.216.34")
		namespace.AddAddress(t, own)
		namespace.Replace(t, "/etc/hosts", "93.184.216.34 me.example.org\n")
		port := echo(t, netip.AddrPortFrom(own, 0))
		for _, test := range []struct {
			flags []string
			host  string
			want  wire.Code
		}{
			{nil, "93.184.216.34", wire.Denied},
			{nil, "me.example.org", wire.Denied},
			{[]string{"--allow", "public"}, "93.184.216.34", wire.Denied},
			{[]string{"--allow", "*"}, "me.example.org", wire.Denied},
			{[]string{"--allow", "*.example.org"}, "me.example.org", wire.Denied},
			{[]string{"--allow", "me.example.org"}, "me.example.org", wire.OK},
			{[]string{"--allow", "93.184.216.34"}, "me.example.org", wire.OK},
			{[]string{"--allow", "93.184.216.0/24"}, "93.184.216.34", wire.OK},
		} {
			s := product.Start(t, test.flags...)
			if r := product.Answer(t, s.Dial(t), test.host, port); r.Code != test.want {
				t.Errorf("%q: %s: %s %s, want %s", test.flags, test.host, r.Code, r.Text, test.want)
			}
		}
		if code, out, _ := product.Run(t, "check-policy", "93.184.216.34:80"); code != 1 || !strings.Contains(out, "an address of the server itself") {
			t.Errorf("check-policy: exit code %d, %s", code, out)
		}
		// An address that the machine is given while the server runs.
		s := product.Start(t)
		later := netip.MustParseAddr("93.184.216.35")
		c := s.Dial(t)
		if r := product.Answer(t, c, later.String(), port); r.Code == wire.Denied {
			t.Errorf("before the machine has it: %s %s", r.Code, r.Text)
		}
		namespace.AddAddress(t, later)
		port = echo(t, netip.AddrPortFrom(later, 0))
		expired := time.After(patience)
		for tick := time.Tick(100 * time.Millisecond); ; {
			r := product.Answer(t, c, later.String(), port)
			if r.Code == wire.Denied {
				break
			}
			select {
			case <-tick:
			case <-expired:
				t.Fatalf("the new address: %s %s", r.Code, r.Text)
			}
		}
	})
}

// A rule by name holds for a name that the resolver would complete, and for a name that is an
// alias of it; with the system's servers and with --dns.
func TestRulesByNameHold(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		own := netip.MustParseAddr("93.184.216.34")
		namespace.AddAddress(t, own)
		namespace.Replace(t, "/etc/hosts", "127.0.0.1 localhost\n")
		namespace.Replace(t, "/etc/resolv.conf", "nameserver 127.0.0.1\nsearch denied.test\noptions timeout:1 attempts:1\n")
		product.DNS{Zone: product.Zone{
			"db.denied.test.":     {"A 93.184.216.34"},
			"stranger.test.":      {"CNAME middle.denied.test.", "CNAME elsewhere.test.", "A 93.184.216.34"},
			"last.test.":          {"CNAME elsewhere.test.", "CNAME db.denied.test.", "A 93.184.216.34"},
			"honest.test.":        {"CNAME elsewhere.test.", "A 93.184.216.34"},
			"middle.denied.test.": {"A 93.184.216.34"},
			"elsewhere.test.":     {"A 93.184.216.34"},
		}}.Serve(t, "127.0.0.1:53")
		port := echo(t, netip.AddrPortFrom(own, 0))
		for _, dns := range [][]string{nil, {"--dns", "127.0.0.1"}} {
			s := product.Start(t, append([]string{"--deny", "*.denied.test", "--allow", "93.184.216.34"}, dns...)...)
			c := s.Dial(t)
			for host, want := range map[string]wire.Code{
				"db.denied.test":  wire.Denied,
				"DB.Denied.Test.": wire.Denied,
				"db":              wire.NameNotFound,
				"stranger.test":   wire.Denied,
				"last.test":       wire.Denied,
				"honest.test":     wire.OK,
			} {
				if r := product.Answer(t, c, host, port); r.Code != want {
					t.Errorf("%q: %s: %s %s, want %s", dns, host, r.Code, r.Text, want)
				}
			}
		}
		const verdict = `stranger.test:80 at 93.184.216.34, an alias of middle.denied.test, is denied by the rule "deny *.denied.test"`
		if code, out, _ := product.Run(t, "check-policy", "stranger.test:80", "--deny", "*.denied.test"); code != 1 || !strings.Contains(out, verdict) {
			t.Errorf("check-policy: exit code %d, %s", code, out)
		}
	})
}

// No name leads to the metadata of a cloud, not even one that a rule allows exactly.
func TestMetadata(t *testing.T) {
	namespace.Run(t, func(t *testing.T) {
		addrs := []string{
			"169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "fd00:100::100:200", "fd00:a9fe:a9fe::1",
		}
		var hosts string
		for _, addr := range addrs {
			hosts += addr + " " + name(addr) + "\n"
		}
		namespace.Replace(t, "/etc/hosts", hosts)
		var flags []string
		for _, addr := range addrs {
			flags = append(flags, "--allow", name(addr))
		}
		c := product.Start(t, flags...).Dial(t)
		for _, addr := range addrs {
			if r := product.Answer(t, c, name(addr), 80); r.Code != wire.Denied {
				t.Errorf("%s: %s %s, want %s", addr, r.Code, r.Text, wire.Denied)
			}
		}
	})
}

// name is a host name for an address.
func name(addr string) string {
	return "h-" + strings.NewReplacer(".", "-", ":", "x").Replace(addr) + ".test"
}
