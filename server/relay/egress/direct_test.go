package egress

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestSource(t *testing.T) {
	peers := make(chan string, 4)
	target := serve(t, func(conn net.Conn) { peers <- conn.RemoteAddr().(*net.TCPAddr).IP.String() })
	source := freeSource(t)
	proxy := func() string {
		var log asked
		handle := httpProxy(&log, "")
		return "http://" + serve(t, func(conn net.Conn) {
			peers <- "proxy from " + conn.RemoteAddr().(*net.TCPAddr).IP.String()
			handle(conn)
		}).String()
	}
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{}, "127.0.0.1"},
		{Config{Source: addrs(source)}, source},
		{Config{Source: addrs(source, "::1")}, source},
		{Config{Source: addrs(source), Proxy: proxy()}, "proxy from " + source},
		{Config{Source: addrs("::1", source), Proxy: proxy()}, "proxy from " + source},
	} {
		conn, err := open(t, test.config).DialContext(deadline(t), wire.Host{}, target, allow)
		if err != nil {
			t.Fatalf("%+v: %v", test.config, err)
		}
		if peer := <-peers; peer != test.want {
			t.Errorf("%+v: from %s; want %s", test.config, peer, test.want)
		}
		if test.config.Proxy != "" {
			<-peers // the target's, which is the proxy's business
		}
		conn.Close()
	}

	_, err := open(t, Config{Source: addrs("::1")}).DialContext(deadline(t), wire.Host{}, target, allow)
	wantError(t, err, "address_not_available: "+target.String()+": the server connects from no address of this family", "")
}

// freeSource is another address of the loopback interface where the system has one, as
// Linux has 127.0.0.0/8.
func freeSource(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		return "127.0.0.1"
	}
	listener.Close()
	return "127.0.0.2"
}

func TestInterface(t *testing.T) {
	cards, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	original := bindDevice
	if original == nil {
		_, err := New(Config{Interface: cards[0].Name})
		if want := `the interface "` + cards[0].Name + `" cannot be chosen: this system has no way to`; err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		return
	}
	var bound []string
	bindDevice = func(fd uintptr, six bool, card *net.Interface) error {
		if six {
			t.Error("an IPv4 socket is bound as one of IPv6")
		}
		bound = append(bound, card.Name)
		return original(fd, six, card)
	}
	defer func() { bindDevice = original }()
	target := serve(t, afterwards)
	var log asked
	address := serve(t, httpProxy(&log, ""))
	for _, card := range cards {
		if card.Flags&net.FlagLoopback == 0 {
			continue
		}
		for _, config := range []Config{{Interface: card.Name}, {Interface: card.Name, Proxy: "http://" + address.String()}} {
			bound = nil
			checked := 0
			conn, err := open(t, config).DialContext(deadline(t), wire.Host{}, target, func(addr netip.AddrPort) error {
				checked++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
			if checked != 1 || len(bound) != 1 || bound[0] != card.Name {
				t.Errorf("%+v: checked %d times, bound to %q; want once to %s", config, checked, bound, card.Name)
			}
		}
	}
	bindDevice = func(uintptr, bool, *net.Interface) error { return errors.New("not permitted") }
	_, err = open(t, Config{Interface: cards[0].Name}).DialContext(deadline(t), wire.Host{}, target, allow)
	if err == nil || !strings.HasSuffix(err.Error(), "choosing the interface "+cards[0].Name+": not permitted") {
		t.Errorf("%v", err)
	}
}
