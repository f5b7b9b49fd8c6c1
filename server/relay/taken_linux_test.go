package relay

import (
	"io"
	"net"
	"testing"
)

// What the other end's system has is told, and grows with it.
func TestAcknowledged(t *testing.T) {
	target := listen(t, untilEnd)
	conn, err := net.Dial("tcp", target.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tcp := conn.(*net.TCPConn)
	before := acknowledged(tcp)
	const sent = 100_000
	if _, err := tcp.Write(make([]byte, sent)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return acknowledged(tcp) == before+sent })
	_ = tcp.CloseWrite()
	_, _ = io.Copy(io.Discard, tcp)
	_ = tcp.Close()
	if n := acknowledged(tcp); n != 0 {
		t.Errorf("%d bytes of a connection that is closed", n)
	}
}
