package pump_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/pump"
)

// TestResolve: the page gets an answer as the wire has it, then the end.
func TestResolve(t *testing.T) {
	answer := wire.Addresses{TTL: 90 * time.Second, Addrs: []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")}}.Append(nil)
	p := newPage(t, func(s *mux.Stream) {
		if ok(s) {
			_, _ = s.Write(answer) // the page checks what comes
			_ = s.CloseWrite()     // as above
		}
	})
	p.pump.Open(3, pump.Request{Request: wire.Request{Kind: wire.Resolve, Host: wire.ParseHost("example.org")}, Window: uint32(len(answer)) + 1})
	p.pump.CloseWrite(3)
	data, _, kinds, end := p.until(3)
	if !bytes.Equal(data, answer) || !slices.Equal(kinds, []pump.Kind{pump.Opened, pump.EOF}) || wire.Code(end.A) != wire.OK {
		t.Errorf("%q, %v, %+v", data, kinds, end)
	}
}

// Options that the page sets reach the server, before the stream is open and after.
func TestSocketOptions(t *testing.T) {
	changes := make(chan wire.SocketOptions, 4)
	p := newPage(t, func(s *mux.Stream) {
		s.EachSocketOptions(func(all wire.SocketOptions) { changes <- all })
		echo(s)
	})
	first := request
	first.Socket = wire.SocketOptions{NoDelay: wire.Off}
	p.pump.Open(3, first)
	p.pump.SetSocketOptions(3, wire.SocketOptions{KeepAlive: wire.On})
	p.pump.SetSocketOptions(4, wire.SocketOptions{KeepAlive: wire.On}) // of no stream
	want := wire.SocketOptions{NoDelay: wire.Off, KeepAlive: wire.On}
	for got := range changes {
		if got == want {
			break
		}
	}
	p.pump.CloseWrite(3)
	if _, _, _, end := p.until(3); wire.Code(end.A) != wire.OK {
		t.Errorf("%+v", end)
	}
}
