package socks_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/socks"
)

// client is what a client sends, and what it gets.
type client struct {
	io.Reader
	bytes.Buffer
}

func (c *client) Read(b []byte) (int, error) { return c.Reader.Read(b) }

func TestAccept(t *testing.T) {
	for _, test := range []struct {
		name, sends string
		address     string
		err         string
		answer      string // to the greeting, or the refusal
	}{
		{"name", "\x05\x01\x00\x05\x01\x00\x03\x09some.name\x22\xb8", "some.name:8888", "", "\x05\x00"},
		{"curl with GSS and a password", "\x05\x03\x00\x01\x02\x05\x01\x00\x03\x01a\x00\x50", "a:80", "", "\x05\x00"},
		{"IPv4", "\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", "127.0.0.1:80", "", "\x05\x00"},
		{"IPv6", "\x05\x01\x00\x05\x01\x00\x04" + strings.Repeat("\x00", 15) + "\x01\x00\x50", "[::1]:80", "", "\x05\x00"},
		{"version 4", "\x04\x01\x00\x50\x7f\x00\x00\x01me\x00", "127.0.0.1:80", "", ""},
		{"version 4a", "\x04\x01\x00\x50\x00\x00\x00\x07me\x00some.name\x00", "some.name:80", "", ""},
		{"only a password", "\x05\x01\x02", "", "authenticate", "\x05\xff"},
		{"UDP", "\x05\x01\x00\x05\x03\x00\x01\x00\x00\x00\x00\x00\x00", "", "command 3", "\x05\x00\x05\x07\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"BIND of version 4", "\x04\x02\x00\x50\x7f\x00\x00\x01\x00", "", "command 2", "\x00\x5b\x00\x00\x00\x00\x00\x00"},
		{"address type", "\x05\x01\x00\x05\x01\x00\x07", "", "address type 7", "\x05\x00\x05\x08\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"empty name", "\x05\x01\x00\x05\x01\x00\x03\x00\x00\x50", "", "empty", "\x05\x00\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"HTTP", "GET / HTTP/1.1\r\n", "", "version 71", ""},
		{"cut short", "\x05\x01\x00\x05\x01\x00\x03\x09some", "", "cut short", "\x05\x00"},
		{"a long user", "\x04\x01\x00\x50\x7f\x00\x00\x01" + strings.Repeat("u", 300), "", "longer than", ""},
	} {
		c := &client{Reader: strings.NewReader(test.sends + "more")}
		q, err := socks.Accept(c)
		switch {
		case test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: %v", test.name, err)
		case err == nil && q.Host.At(q.Port) != test.address:
			t.Errorf("%s: target %s, want %s", test.name, q.Host.At(q.Port), test.address)
		case c.String() != test.answer:
			t.Errorf("%s: answer %q, want %q", test.name, c.String(), test.answer)
		}
		if rest, _ := io.ReadAll(c); err == nil && string(rest) != "more" {
			t.Errorf("%s: %q is left behind the request", test.name, rest)
		}
	}
}

func TestReply(t *testing.T) {
	for _, test := range []struct {
		sends string
		reply byte
		bound net.Addr
		want  string
	}{
		{"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x50", socks.Granted, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 258}, "\x05\x00\x00\x01\x7f\x00\x00\x01\x01\x02"},
		{"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x50", socks.Granted, &net.TCPAddr{IP: net.IPv6loopback, Port: 258}, "\x05\x00\x00\x04" + strings.Repeat("\x00", 15) + "\x01\x01\x02"},
		{"\x05\x01\x00\x05\x01\x00\x03\x01a\x00\x50", socks.Refused, nil, "\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00"},
		{"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", socks.Granted, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 258}, "\x00\x5a\x01\x02\x7f\x00\x00\x01"},
		{"\x04\x01\x00\x50\x7f\x00\x00\x01\x00", socks.Refused, nil, "\x00\x5b\x00\x00\x00\x00\x00\x00"},
	} {
		q, err := socks.Accept(&client{Reader: strings.NewReader(test.sends)})
		if err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := q.Reply(&got, test.reply, test.bound); err != nil || got.String() != test.want {
			t.Errorf("%q: reply %q, %v; want %q", test.sends, got.String(), err, test.want)
		}
	}
}

// FuzzAccept: no handshake makes Accept panic or take more than it may.
func FuzzAccept(f *testing.F) {
	f.Add([]byte("\x05\x01\x00\x05\x01\x00\x03\x09some.name\x22\xb8"))
	f.Add([]byte("\x04\x01\x00\x50\x00\x00\x00\x07me\x00some.name\x00"))
	f.Fuzz(func(t *testing.T, sends []byte) {
		q, err := socks.Accept(&client{Reader: bytes.NewReader(sends)})
		if err == nil && (q.Host.IsZero() || len(q.Host.Name()) > 255) {
			t.Errorf("host %q", q.Host)
		}
	})
}
