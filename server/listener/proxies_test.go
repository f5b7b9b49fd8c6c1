package listener

import (
	"net/netip"
	"testing"
)

func proxies(t *testing.T, texts ...string) (p Proxies) {
	t.Helper()
	for _, text := range texts {
		prefix, err := ParseProxy(text)
		if err != nil {
			t.Fatal(err)
		}
		p = append(p, prefix)
	}
	return p
}

func TestParseProxy(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1": "127.0.0.1/32", "10.0.0.0/8": "10.0.0.0/8", "::1": "::1/128", "fd00::/8": "fd00::/8", "::ffff:10.0.0.1": "10.0.0.1/32",
	} {
		if got, err := ParseProxy(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                   `no address or block: write 127.0.0.1, 10.0.0.0/8, ::1 or fd00::/8`,
		"proxy.test":         `no address or block: write 127.0.0.1, 10.0.0.0/8, ::1 or fd00::/8`,
		"10.0.0.0/33":        `no address or block: write 127.0.0.1, 10.0.0.0/8, ::1 or fd00::/8`,
		"fe80::1%eth0":       `no address or block: write 127.0.0.1, 10.0.0.0/8, ::1 or fd00::/8`,
		"::ffff:10.0.0.0/99": `no address or block: write 127.0.0.1, 10.0.0.0/8, ::1 or fd00::/8`,
		"10.1.2.3/8":         `bits are set beyond the length: write 10.0.0.0/8`,
		"0.0.0.0/0":          `this trusts every client, so any client could claim any address: name the proxies`,
		"::/0":               `this trusts every client, so any client could claim any address: name the proxies`,
	} {
		if got, err := ParseProxy(text); err == nil || err.Error() != want {
			t.Errorf("%s: %s\ngot  %v\nwant %s", text, got, err, want)
		}
	}
}

func TestClient(t *testing.T) {
	trusted := proxies(t, "10.0.0.0/8", "fd00::/8")
	tests := []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"192.0.2.1", []string{"198.51.100.7"}, "192.0.2.1"},                            // no trusted proxy says so
		{"10.0.0.1", []string{"198.51.100.7"}, "198.51.100.7"},                          // the usual
		{"10.0.0.1", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},             // the client's own invention stands to the left
		{"10.0.0.1", []string{"203.0.113.9", "198.51.100.7, 10.0.0.2"}, "198.51.100.7"}, // two proxies, two lines
		{"10.0.0.1", []string{"10.9.9.9"}, "10.9.9.9"},                                  // a client within the proxies' network
		{"10.0.0.1", []string{"198.51.100.7:4711"}, "198.51.100.7"},                     // with a port
		{"10.0.0.1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},                     // likewise
		{"10.0.0.1", []string{"[2001:db8::7]"}, "2001:db8::7"},                          //
		{"fd00::1", []string{"2001:db8::7"}, "2001:db8::7"},                             //
		{"10.0.0.1", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},                   // never two spellings of one client
		{"10.0.0.1", []string{"198.51.100.7, unknown"}, "10.0.0.1"},                     // what does not parse hides what is behind it
		{"10.0.0.1", []string{"198.51.100.7, unknown, 10.0.0.2"}, "10.0.0.2"},           //
		{"10.0.0.1", []string{""}, "10.0.0.1"},                                          //
		{"10.0.0.1", []string{"198.51.100.7, ,10.0.0.2"}, "10.0.0.2"},                   //
		{"10.0.0.1", []string{"fe80::1%eth0"}, "fe80::1"},                               // zones mean nothing here
		{"10.0.0.1", []string{"198.51.100.7\x00"}, "10.0.0.1"},                          //
		{"10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},                        // all trusted: the farthest
		{"10.0.0.1", []string{"198.51.100.7, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},        // a proxy that is not ours is the client
	}
	for _, test := range tests {
		if got := trusted.client(netip.MustParseAddr(test.peer), test.forwarded); got.String() != test.want {
			t.Errorf("%s with %q: %s, want %s", test.peer, test.forwarded, got, test.want)
		}
	}
}

func FuzzClient(f *testing.F) {
	f.Add("198.51.100.7, 10.0.0.2")
	f.Add("[2001:db8::7]:1, unknown")
	f.Add(",,,")
	trusted := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, forwarded string) {
		peer := netip.MustParseAddr("10.0.0.1")
		if got := trusted.client(peer, []string{forwarded}); !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Errorf("%q: %s", forwarded, got)
		}
		stranger := netip.MustParseAddr("192.0.2.1")
		if got := trusted.client(stranger, []string{forwarded}); got != stranger {
			t.Errorf("%q moved a stranger to %s", forwarded, got)
		}
	})
}
