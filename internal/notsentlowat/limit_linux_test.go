package notsentlowat_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// written is how much a connection takes that the other end does not read, where the
// other end's buffer holds little.
func written(t *testing.T, limited bool) int {
	t.Helper()
	conn, other := servertest.Pair(t)
	if err := other.SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	if limited {
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		notsentlowat.Limit(raw)
	}
	total := 0
	for b := make([]byte, 16<<10); ; {
		if err := conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Write(b)
		total += n
		if err == nil {
			continue
		}
		// The deadline may have passed before the write began.
		if n = writeNow(t, conn, b); n == 0 {
			return total
		}
		total += n
	}
}

// writeNow writes what the system takes at once.
func writeNow(t *testing.T, conn net.Conn, b []byte) (n int) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { n, failed = syscall.Write(int(fd), b) }); err != nil {
		t.Fatal(err)
	}
	if failed == syscall.EAGAIN {
		return 0
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return n
}

// A connection whose other end does not read takes little, where the system's own limit
// is megabytes.
func TestLimit(t *testing.T) {
	limited, own := written(t, true), written(t, false)
	if limited > own/2 {
		t.Errorf("%d KiB are taken, %d KiB without a limit: want less than half", limited>>10, own>>10)
	}
	t.Logf("%d KiB are taken, %d KiB without a limit", limited>>10, own>>10)
}
