package app

import (
	"net"
	"testing"
)

func TestHostPort(t *testing.T) {
	for _, test := range []struct {
		ip, name string
		port     int
		want     string
	}{
		{"127.0.0.1", "", 80, "127.0.0.1:80"},
		{"::1", "", 80, "[::1]:80"},
		{"192.0.2.7", "", 80, "192.0.2.7:80"},
		// On every interface: the one that is surely there, and where the page is isolated.
		{"0.0.0.0", "", 80, "127.0.0.1:80"},
		{"::", "", 80, "127.0.0.1:80"},
		{"0.0.0.0", "tunnel.test", 443, "tunnel.test"},
		{"0.0.0.0", "tunnel.test", 8443, "tunnel.test:8443"},
	} {
		if got := hostPort(&net.TCPAddr{IP: net.ParseIP(test.ip), Port: test.port}, test.name); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.ip, test.name, got, test.want)
		}
	}
}
