//go:build unix

package relay

import (
	"net"
	"syscall"

	"github.com/sockmux/sockmux/server/relay/egress"
)

// writing writes to a connection without waiting. It is for one goroutine at a time. The zero value
// is ready.
type writing struct {
	raw  syscall.RawConn // nil: before the first write, or of a connection that is more than a socket
	once func(fd uintptr) bool
	from []byte
	n    int
	err  error
}

// now writes what the system takes at once; conn is always the same. Where that is nothing, it
// returns no error.
func (w *writing) now(conn egress.Conn, b []byte) (int, error) {
	if w.raw == nil {
		tcp, ok := conn.(*net.TCPConn) // what wraps one may have to write more than b
		if !ok {
			return 0, nil
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			return 0, err
		}
		w.raw, w.once = raw, w.writeOnce
	}
	w.from = b
	err := w.raw.Write(w.once)
	w.from = nil
	if err != nil {
		return 0, err
	}
	return w.n, w.err
}

func (w *writing) writeOnce(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), w.from)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			w.n, w.err = 0, nil
		case err != nil:
			w.n, w.err = 0, &net.OpError{Op: "write", Net: "tcp", Err: err}
		default:
			w.n, w.err = n, nil
		}
		return true
	}
}
