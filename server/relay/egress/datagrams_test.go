package egress

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// udpPeer is a socket on loopback.
func udpPeer(t *testing.T, network, address string) (*net.UDPConn, netip.AddrPort) {
	t.Helper()
	conn, err := net.ListenPacket(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.UDPConn), conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// sender returns from where a datagram came.
func sender(t *testing.T, conn *net.UDPConn) netip.Addr {
	t.Helper()
	_, from, err := conn.ReadFromUDPAddrPort(make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	return from.Addr().Unmap()
}

func TestDatagramSource(t *testing.T) {
	source := freeSource(t)
	peer, at := udpPeer(t, "udp4", "127.0.0.1:0")
	for _, test := range []struct {
		config Config
		want   string
		number int
	}{
		{Config{}, "127.0.0.1", 1},
		{Config{Source: addrs(source)}, source, 1},
		{Config{Source: addrs(source, "::1")}, source, 2},
	} {
		dialer := open(t, test.config)
		dialed := netip.AddrPort{}
		conn, err := dialer.DialUDP(wire.Host{}, at, func(addr netip.AddrPort) error { dialed = addr; return nil })
		if err != nil {
			t.Fatal(err)
		}
		sockets, err := dialer.ListenUDP()
		if err != nil || len(sockets) != test.number {
			t.Fatalf("%d sockets, %v", len(sockets), err)
		}
		_, err = conn.Write([]byte("x"))
		_, err2 := sockets[0].WriteToUDPAddrPort([]byte("x"), at)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		for range 2 {
			if got := sender(t, peer); got.String() != test.want || dialed != at {
				t.Errorf("%+v: from %s, checked %s; want %s", test.config, got, dialed, test.want)
			}
		}
		for _, s := range append(sockets, conn) {
			_ = s.Close()
		}
	}
	_, err := open(t, Config{Source: addrs("::1")}).DialUDP(wire.Host{}, at, allow)
	wantError(t, err, "address_not_available: "+at.String()+": the server sends from no address of this family", "")
	want := wire.NewError(wire.Denied, "no")
	if _, err := open(t, Config{}).DialUDP(wire.Host{}, at, func(netip.AddrPort) error { return want }); !errors.Is(err, want) {
		t.Error(err)
	}
}

// TestNoBroadcast: package net allows broadcasts, the server does not.
func TestNoBroadcast(t *testing.T) {
	sockets, err := open(t, Config{}).ListenUDP()
	if err != nil {
		t.Fatal(err)
	}
	defer sockets[0].Close()
	to := netip.MustParseAddrPort("127.255.255.255:9")
	if _, err := sockets[0].WriteToUDPAddrPort([]byte("x"), to); !errors.Is(err, syscall.EACCES) {
		t.Errorf("a broadcast: %v", err)
	}
	if conn, err := open(t, Config{}).DialUDP(wire.Host{}, to, allow); !errors.Is(err, syscall.EACCES) {
		if err == nil {
			_ = conn.Close()
		}
		t.Errorf("a broadcast: %v", err)
	}
}

// TestProxiesHaveNoDatagrams: nothing leaves past a proxy, unless NO_PROXY says so.
func TestProxiesHaveNoDatagrams(t *testing.T) {
	_, at := udpPeer(t, "udp4", "127.0.0.1:0")
	env := map[string]string{"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "192.0.2.9"}
	for _, config := range []Config{
		{Proxy: "socks5://127.0.0.1:9"},
		{Proxy: FromEnvironment, Getenv: func(name string) string { return env[name] }},
	} {
		dialer := open(t, config)
		if _, err := dialer.ListenUDP(); !errors.Is(err, wire.NewError(wire.UnsupportedKind, "")) {
			t.Errorf("%s: %v", config.Proxy, err)
		}
		to := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.8"), at.Port())
		if _, err := dialer.DialUDP(wire.Host{}, to, allow); !errors.Is(err, wire.NewError(wire.UnsupportedKind, "")) {
			t.Errorf("%s: %v", config.Proxy, err)
		}
		conn, err := dialer.DialUDP(wire.Host{}, at, allow)
		if config.Proxy == FromEnvironment { // which is never for loopback
			if err != nil {
				t.Error(err)
				continue
			}
			_ = conn.Close()
		}
	}
}
