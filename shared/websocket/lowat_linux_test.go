package websocket

import (
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

// there returns how many bytes a connection has received and not read, at most len(b).
func there(fd uintptr, b []byte) int {
	n, _, _ := syscall.Recvfrom(int(fd), b, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return max(n, 0)
}

// control calls f with the connection's descriptor.
func control(t *testing.T, conn *net.TCPConn, f func(fd uintptr)) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(f); err != nil {
		t.Fatal(err)
	}
}

// TestAwaited: the system is told how much the reader of a long part waits for, and that
// the reader of anything else waits for the first byte.
func TestAwaited(t *testing.T) {
	conn, _ := servertest.Pair(t)
	a := awaitedOf(conn)
	for _, step := range []struct{ reads, want int }{
		{4 << 10, 1}, {leastAwaited - 1, 1}, {leastAwaited, leastAwaited}, {1 << 20, mostAwaited}, {100_000, 100_000}, {4 << 10, 1},
	} {
		a.reading(step.reads)
		control(t, conn, func(fd uintptr) {
			if got, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT); got != step.want || err != nil {
				t.Errorf("before a read of %d bytes the reader waits for %d, want %d, %v", step.reads, got, step.want, err)
			}
		})
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	a.reading(1 << 20)                 // of a connection that has ended
	new(awaited).reading(leastAwaited) // of one that is more than a socket
}

// TestLongReadIsWokenOnce: segments that arrive one by one wake the reader of a long
// part once.
func TestLongReadIsWokenOnce(t *testing.T) {
	near, far := servertest.Pair(t)
	const segment, segments = 8 << 10, leastAwaited / (8 << 10)
	awaitedOf(near).reading(leastAwaited)
	looks, began, ended := 0, make(chan struct{}), make(chan error, 1)
	raw, err := near.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		buffer := make([]byte, leastAwaited)
		ended <- raw.Read(func(fd uintptr) bool {
			if looks++; looks == 1 {
				close(began)
			}
			return there(fd, buffer) == len(buffer)
		})
	}()
	<-began
	buffer := make([]byte, leastAwaited)
	for i := range segments {
		if _, err := far.Write(buffer[:segment]); err != nil {
			t.Fatal(err)
		}
		for arrived := 0; arrived < (i+1)*segment; runtime.Gosched() {
			control(t, near, func(fd uintptr) { arrived = there(fd, buffer) })
		}
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if looks > 2 {
		t.Errorf("the reader looked %d times, want once before the bytes and once behind them", looks)
	}
}
