package servertest

import (
	"net"
	"testing"
)

// Refusing returns an address of the loopback interface, HOST:PORT, that refuses
// connections until the test ends. A port that was closed would not do: the system soon
// gives it to the next who listens, in this process or another. This one is held by the
// client's end of a connection.
func Refusing(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	// Bound before it connects, or the system would give the port to other connections too.
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	held, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	for {
		peer, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { peer.Close() })
		if peer.RemoteAddr().String() == held.LocalAddr().String() {
			return held.LocalAddr().String()
		}
	}
}
