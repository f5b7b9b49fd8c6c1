package unsent_test

import (
	"net"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/unsent"
)

// written is how much a connection takes that the other end does not read, where the other end's buffer holds little.
func written(t *testing.T, limited bool) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := other.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	if limited {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		unsent.Limit(raw)
	}
	total := 0
	for b := make([]byte, 16<<10); ; {
		if err := conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Write(b)
		total += n
		if err != nil {
			return total
		}
	}
}

// A connection whose other end does not read takes little, where the system's own limit is megabytes.
func TestLimit(t *testing.T) {
	limited, own := written(t, true), written(t, false)
	if limited > own/2 {
		t.Errorf("%d KiB are taken, %d KiB without a limit: want less than half", limited>>10, own>>10)
	}
	t.Logf("%d KiB are taken, %d KiB without a limit", limited>>10, own>>10)
}
