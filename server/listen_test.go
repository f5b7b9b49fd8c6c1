package main

import (
	"net"
	"testing"
)

func TestPageURL(t *testing.T) {
	for _, test := range []struct{ ip, want string }{
		{"127.0.0.1", "http://127.0.0.1:80/p/"},
		{"::1", "http://[::1]:80/p/"},
		{"192.0.2.7", "http://192.0.2.7:80/p/"},
		// On every interface: the one that is surely there, and where the page is isolated.
		{"0.0.0.0", "http://127.0.0.1:80/p/"},
		{"::", "http://127.0.0.1:80/p/"},
	} {
		if got := pageURL(&net.TCPAddr{IP: net.ParseIP(test.ip), Port: 80}, "/p/"); got != test.want {
			t.Errorf("%s: %s, want %s", test.ip, got, test.want)
		}
	}
}
