package wire

import (
	"net/netip"
	"testing"
)

func TestHost(t *testing.T) {
	for _, test := range []struct {
		host           Host
		name           string
		addr           netip.Addr
		text, at, zero string
	}{
		{ParseHost("Example.org."), "Example.org.", netip.Addr{}, "Example.org.", "Example.org.:80", ""},
		{ParseHost("192.0.2.7"), "", netip.MustParseAddr("192.0.2.7"), "192.0.2.7", "192.0.2.7:80", ""},
		{ParseHost("2001:DB8::0:7"), "", netip.MustParseAddr("2001:db8::7"), "2001:db8::7", "[2001:db8::7]:80", ""},
		{ParseHost("fe80::1%eth0"), "", netip.MustParseAddr("fe80::1%eth0"), "fe80::1%eth0", "[fe80::1%eth0]:80", ""},
		{ParseHost("127.1"), "127.1", netip.Addr{}, "127.1", "127.1:80", ""},
		{HostOf(netip.MustParseAddr("::1")), "", netip.IPv6Loopback(), "::1", "[::1]:80", ""},
		{ParseHost(""), "", netip.Addr{}, "", ":80", "zero"},
		{HostOf(netip.Addr{}), "", netip.Addr{}, "", ":80", "zero"},
	} {
		h := test.host
		if h.Name() != test.name || h.Addr() != test.addr || h.String() != test.text || h.At(80) != test.at || h.IsZero() != (test.zero != "") {
			t.Errorf("%q: name %q, addr %v, at %q, zero %v", h, h.Name(), h.Addr(), h.At(80), h.IsZero())
		}
	}
	if ParseHost("::1") != HostOf(netip.IPv6Loopback()) || ParseHost("a.example") == ParseHost("b.example") {
		t.Error("hosts are not compared by what they are")
	}
}

// An address that a client sends as a name is that address: policy and resolver see no text of it.
func TestAddressAsName(t *testing.T) {
	body := append([]byte{byte(TCP), formName, 9}, "127.0.0.1"...)
	q, err := DecodeRequest(append(body, 0, 80))
	if want := HostOf(netip.AddrFrom4([4]byte{127, 0, 0, 1})); err != nil || q.Host != want || q.Port != 80 {
		t.Errorf("got %+v, %v", q, err)
	}
}
