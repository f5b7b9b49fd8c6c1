//go:build !js

package sockmux_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// boundAt is a socket to which strangers may send.
func boundAt(t *testing.T, d *sockmux.Dialer, address string) net.PacketConn {
	t.Helper()
	conn, err := d.ListenPacket(t.Context(), "udp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // of an open socket: never fails
	return conn
}

// answer answers one datagram with what it was.
func answer(t *testing.T, conn net.PacketConn) {
	t.Helper()
	b := make([]byte, 100)
	n, from, err := conn.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.WriteTo(b[:n], from); err != nil {
		t.Fatal(err)
	}
}

// TestBoundUDP: strangers send and are answered, though the policy lets the client reach none.
func TestBoundUDP(t *testing.T) {
	server := product.Start(t, "--allow-listen", "udp://127.0.0.1:*", "--admin", "127.0.0.1:0")
	d := dialerFor(t, server)
	conn := boundAt(t, d, "127.0.0.1:0")
	at := conn.LocalAddr().(*net.UDPAddr)
	if !at.IP.IsLoopback() || at.Port == 0 {
		t.Fatalf("bound to %s", at)
	}
	for i := range 3 {
		stranger := packets(t)
		want := fmt.Sprint("question ", i)
		if _, err := stranger.WriteToUDP([]byte(want), at); err != nil {
			t.Fatal(err)
		}
		answer(t, conn)
		b := make([]byte, 100)
		if n, from, err := stranger.ReadFromUDP(b); err != nil || string(b[:n]) != want || from.String() != at.String() {
			t.Errorf("%q of %s, %v", b[:n], from, err)
		}
	}
	if _, err := d.ListenPacket(t.Context(), "udp", at.String()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a port that is taken: %v", err)
	}
	if got := server.Metric(t, "sockmux_listeners"); got != 1 {
		t.Errorf("%v ports are bound, want 1", got)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	servertest.Eventually(t, patience, "the port is free behind Close", func() bool { return udpFree(at) })
	left := boundAt(t, d, at.String())
	if left.LocalAddr().String() != at.String() {
		t.Errorf("bound to %s, want %s", left.LocalAddr(), at)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	servertest.Eventually(t, patience, "the port is free behind the session", func() bool { return udpFree(at) })
}

func udpFree(at *net.UDPAddr) bool {
	conn, err := net.ListenUDP("udp4", at)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// TestBoundUDPDenied: nothing is bound without a rule, and rules for tcp are none.
func TestBoundUDPDenied(t *testing.T) {
	d := dialerFor(t, product.Start(t, "--allow-listen", "tcp://127.0.0.1:*", "--allow-listen", "udp://127.0.0.2:5000-5001"))
	for _, address := range []string{":5353", "127.0.0.1:0", "127.0.0.1:5353", "127.0.0.2:5002", "0.0.0.0:80"} {
		if _, err := d.ListenPacket(t.Context(), "udp", address); !errors.Is(err, syscall.EACCES) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"name.test:5", "[fe80::1%1]:5", "127.0.0.1", "127.0.0.1:x"} {
		if _, err := d.ListenPacket(t.Context(), "udp", address); err == nil || errors.Is(err, syscall.EACCES) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if conn := boundAt(t, d, "127.0.0.2:0"); conn.LocalAddr().(*net.UDPAddr).Port < 5000 || conn.LocalAddr().(*net.UDPAddr).Port > 5001 {
		t.Errorf("bound to %s", conn.LocalAddr())
	}
}

// TestUDPSurvives: bound and other sockets live on while WebSockets are lost. Datagrams get lost,
// none comes twice or in parts.
func TestUDPSurvives(t *testing.T) {
	server := product.Start(t, "--allow-listen", "udp://127.0.0.1:*", "--allow", "127.0.0.1")
	proxy, err := fault.Listen(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	d := &sockmux.Dialer{URL: "http://" + proxy.Addr() + "/"}
	t.Cleanup(func() { _ = d.Close() })
	conn := boundAt(t, d, "127.0.0.1:0")
	peer := packets(t)
	own := peer.LocalAddr().(*net.UDPAddr)
	at := conn.LocalAddr().(*net.UDPAddr)
	seen := make(map[string]bool)
	b := make([]byte, 2000)
	for round := range 6 {
		proxy.Cut(fault.Reset)
		for i := range 50 {
			payload := fmt.Sprintf("%d/%d/%0*d", round, i, i*20, 0)
			if _, err := peer.WriteToUDP([]byte(payload), at); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.WriteTo([]byte(payload), own); err != nil {
				t.Fatal(err)
			}
		}
		last := fmt.Sprint("last ", round)
		if _, err := peer.WriteToUDP([]byte(last), at); err != nil {
			t.Fatal(err)
		}
		for _, side := range []struct {
			name string
			next func() (string, error)
		}{
			{"client", func() (string, error) { n, _, err := conn.ReadFrom(b); return string(b[:n]), err }},
			{"target", func() (string, error) { n, _, err := peer.ReadFromUDPAddrPort(b); return string(b[:n]), err }},
		} {
			if side.name == "target" {
				if _, err := conn.WriteTo([]byte(last), own); err != nil {
					t.Fatal(err)
				}
			}
			for {
				got, err := side.next()
				if err != nil {
					t.Fatalf("round %d, %s: %v", round, side.name, err)
				}
				if seen[side.name+got] {
					t.Errorf("%s has got %.20q twice", side.name, got)
				}
				seen[side.name+got] = true
				if got == last {
					break
				}
				var r, i, zero int
				if n, _ := fmt.Sscanf(got, "%d/%d/%d", &r, &i, &zero); n != 3 || got != fmt.Sprintf("%d/%d/%0*d", r, i, i*20, 0) {
					t.Errorf("%s has got %q", side.name, got)
				}
			}
		}
	}
	if conn.LocalAddr().String() != at.String() || netip.MustParseAddrPort(at.String()).Port() == 0 {
		t.Errorf("the address is %s, was %s", conn.LocalAddr(), at)
	}
}
