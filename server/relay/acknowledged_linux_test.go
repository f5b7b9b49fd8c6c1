package relay

import (
	"bytes"
	"context"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/shared/wire"
)

// smallBuffer gives a socket little room before the peer knows of any. Where the window shrinks
// later, the peer's system waits for the window that it was promised first.
func smallBuffer(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<10) // it has room for more then, and the test fails
	})
}

// A target that takes a little at a time gets all of it, although the relay has written
// everything long before: what counts is what the target's system has acknowledged.
func TestSlowTargetTakesWhatTheSystemHolds(t *testing.T) {
	const (
		size     = 40_000
		piece    = 4000
		pause    = 500 * time.Millisecond // the target's own pace: 5 s in all
		takeTime = 6 * pause
	)
	closed := make(chan struct{})
	got, ends := make(chan []byte, 1), make(chan error, 1)
	target := listenWith(t, net.ListenConfig{Control: smallBuffer}, func(conn *net.TCPConn) {
		<-closed
		var all []byte
		for {
			b := make([]byte, piece)
			n, err := io.ReadFull(conn, b)
			all = append(all, b[:n]...)
			if err != nil {
				got <- all
				ends <- err
				return
			}
			time.Sleep(pause)
		}
	})
	r := local(t, Config{})
	r.takeTime = takeTime
	ctx, end := context.WithCancel(t.Context())
	s := serve(t, ctx, r, "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	data := random(size)
	if err := s.send(data); err != nil {
		t.Fatal(err)
	}
	s.closeSession()
	end()
	close(closed)
	if all := <-got; !bytes.Equal(all, data) {
		t.Errorf("target got %d bytes, want %d", len(all), size)
	}
	if err := <-ends; err != io.EOF && err != io.ErrUnexpectedEOF {
		t.Errorf("target got %v, want its end", err)
	}
	s.wait()
	if got := ended(r); got[wire.OK] != 1 {
		t.Errorf("ended %v, want one ok", got)
	}
}
