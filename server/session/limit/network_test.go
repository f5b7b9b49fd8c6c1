package limit_test

import (
	"testing"

	"github.com/sockmux/sockmux/server/session/limit"
)

func TestNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7":               "192.0.2.7",
		"192.0.2.7:4711":          "192.0.2.7",
		"::ffff:192.0.2.7":        "192.0.2.7",
		"[::ffff:192.0.2.7]:4711": "192.0.2.7",
		"2001:db8:1:2:3::4":       "2001:db8:1:2::/64",
		"[2001:db8:1:2:5::6]:1":   "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":        "fe80::/64",
		"pipe":                    "pipe",
		"":                        "",
	} {
		if got := limit.Network(address); got != want {
			t.Errorf("Network(%q) = %q, want %q", address, got, want)
		}
	}
}
