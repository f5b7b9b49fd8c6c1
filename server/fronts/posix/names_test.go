package posix

import (
	"net/netip"
	"testing"
)

// TestLiteral reads what inet_aton reads.
func TestLiteral(t *testing.T) {
	for node, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "0x7f.1": "127.0.0.1", "017700000001": "127.0.0.1", "2130706433": "127.0.0.1",
		"1.2.772": "1.2.3.4", "::1": "::1", "::ffff:1.2.3.4": "::ffff:1.2.3.4",
		"": "", "localhost": "", "1.2.3.4.5": "", "256.1.1.1": "", "1..2": "", "1.2.3.256": "", "4294967296": "", "1_0": "", "0b1": "", "fe80::1%lo": "", "1.2.3.-4": "", "+1": "",
	} {
		got, ok := literalOf(node)
		if ok != (want != "") || ok && got != netip.MustParseAddr(want) {
			t.Errorf("%q: %s, %t; want %q", node, got, ok, want)
		}
	}
}

// TestNames keeps the last names, and what is known of their addresses.
func TestNames(t *testing.T) {
	var n names
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}) }
	for i := range maxNames {
		n.learn("old", address(i))
	}
	n.mark(address(5))
	n.learn("new", address(5))
	if got, known := n.of(address(5)); !known || got != (named{"new", true}) {
		t.Errorf("%+v, %t", got, known)
	}
	n.learn("new", address(maxNames))
	if _, known := n.of(address(0)); known || len(n.known) != maxNames {
		t.Errorf("the oldest of %d is there: %t", len(n.known), known)
	}
	n.mark(address(0))
	if _, known := n.of(address(0)); known {
		t.Error("a mark makes a name")
	}
}
