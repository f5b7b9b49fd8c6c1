package relay

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/sockmux/sockmux/server/app/demo"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// The demo services through the relay, by name and with their own rules: what the playground does.
func TestDemoServices(t *testing.T) {
	d, err := demo.Start("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	none := lookup(func(_ context.Context, _, host string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	})
	r := New(Config{Policy: policy.New(d.Rules()), Resolver: d.Resolver(none)})
	port := func(name string) uint16 { return d.Addr(name).Port() }

	for i := range 40 {
		s := serve(t, t.Context(), r, fmt.Sprintf("h%d.test", i+1), port("echo"))
		s.want(wire.OK)
		text := fmt.Sprintf("hello from socket %d", i)
		if err := s.send([]byte(text)); err != nil {
			t.Fatal(err)
		}
		s.fin()
		if got, err := s.recvAll(); err != nil || string(got) != text {
			t.Errorf("echo %q, %v; want %q", got, err, text)
		}
	}

	download := serve(t, t.Context(), r, "demo.test", port("download"))
	if err := download.send([]byte("10000000\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := download.recvAll(); err != nil || len(got) != 10_000_000 {
		t.Errorf("download of %d bytes, %v", len(got), err)
	}
	download.fin()

	reset := serve(t, t.Context(), r, "demo.test", port("reset"))
	if got, err := reset.recvAll(); codeOf(err) != wire.Reset || len(got) == 0 {
		t.Errorf("reset: %q, %v; want a line, then reset", got, err)
	}

	for _, test := range []struct {
		host string
		port uint16
		code wire.Code
	}{
		{"demo.test", port("refused"), wire.Refused},
		{"demo.test", 1, wire.Denied},
		{"10.0.0.1", 80, wire.Denied},
		{"nobody.test", port("echo"), wire.NameNotFound},
		{"nobody.onion", 80, wire.NameNotFound},
		{"nobody.example", 80, wire.NameNotFound},
	} {
		serve(t, t.Context(), r, test.host, test.port).want(test.code)
	}
}
