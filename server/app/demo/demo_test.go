package demo_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/app/demo"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// patience is for what must happen; a test that needs it has failed.
const patience = 20 * time.Second

func start(t *testing.T) *demo.Demo {
	t.Helper()
	d, err := demo.Start("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func dial(t *testing.T, d *demo.Demo, name string) *net.TCPConn {
	t.Helper()
	addr := d.Addr(name)
	if !addr.IsValid() {
		t.Fatalf("no service %q", name)
	}
	conn, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// say sends text, with the client's end behind it if fin, and returns all that comes back.
func say(t *testing.T, conn *net.TCPConn, text string, fin bool) string {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if fin {
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// The playground's examples and its list rely on these.
func TestServices(t *testing.T) {
	d := start(t)
	services := d.Services()
	seen := map[uint16]string{}
	for _, service := range services {
		if service.Port == 0 || service.Host != "127.0.0.1" || service.Description == "" || seen[service.Port] != "" {
			t.Errorf("service %+v", service)
		}
		seen[service.Port] = service.Name
	}
	for _, name := range []string{"http", "daytime", "whois", "echo", "refused", "download", "half-close"} {
		if !d.Addr(name).IsValid() {
			t.Errorf("no service %q", name)
		}
	}
	services[0].Port = 1
	if d.Services()[0].Port == 1 {
		t.Error("the caller's list is the server's own")
	}
	if d.Addr("nothing").IsValid() {
		t.Error("an address for a service that does not exist")
	}
}

func TestRulesAllowExactlyTheServices(t *testing.T) {
	d := start(t)
	p := policy.New(d.Rules())
	used := map[uint16]bool{}
	for _, service := range d.Services() {
		used[service.Port] = true
		for _, host := range []string{"127.0.0.1", "demo.test"} {
			if err := p.CheckAddr(wire.ParseHost(host), nil, d.Addr(service.Name)); err != nil {
				t.Errorf("%s: %v", service.Name, err)
			}
		}
		if err := p.CheckAddr(wire.ParseHost("127.0.0.2"), nil, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), service.Port)); err == nil {
			t.Errorf("port %d is open on other addresses", service.Port)
		}
	}
	for port := range uint16(65535) {
		if !used[port] && p.CheckAddr(wire.ParseHost("demo.test"), nil, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)) == nil {
			t.Fatalf("port %d is open", port)
		}
	}
}

func TestStartRefusesHosts(t *testing.T) {
	for _, host := range []string{"", "localhost", "0.0.0.0", "::", "192.0.2.1", "fe80::1%lo"} {
		if d, err := demo.Start(host); err == nil {
			d.Close()
			t.Errorf("%q: no error", host)
		}
	}
}

func TestRefused(t *testing.T) {
	d := start(t)
	for range 20 {
		if conn, err := net.Dial("tcp", d.Addr("refused").String()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial gave %v, %v; want refused", conn, err)
		}
	}
	if listener, err := net.Listen("tcp", d.Addr("refused").String()); err == nil {
		_ = listener.Close()
		t.Error("another program can listen on the port")
	}
}

func TestCloseEndsConnections(t *testing.T) {
	d := start(t)
	var conns []*net.TCPConn
	for _, name := range []string{"echo", "silent", "slow", "chargen", "http", "half-close"} {
		conns = append(conns, dial(t, d, name))
	}
	if _, err := conns[0].Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conns[0], make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	d.Close()
	for _, conn := range conns {
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, syscall.ETIMEDOUT) || isTimeout(err) {
			t.Errorf("%s is still open", conn.RemoteAddr())
		}
	}
	d.Close() // once more does nothing
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
