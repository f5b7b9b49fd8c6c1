//go:build unix

package relay

import (
	"io"
	"net"
	"syscall"

	"github.com/sockmux/sockmux/server/egress"
)

// reading reads from a connection and holds no buffer while it waits. It is for one goroutine. The zero value is ready.
type reading struct {
	raw    syscall.RawConn // nil: before the first read, or of a connection that is more than a socket
	try    func(fd uintptr) bool
	buffer *buffer
	n      int
	err    error
}

// read reads into the buffer; conn is always the same.
func (r *reading) read(conn egress.Conn, b *buffer) (int, error) {
	if r.raw == nil {
		tcp, ok := conn.(*net.TCPConn) // what wraps one may have read ahead
		if !ok {
			return plainReading(conn, b)
		}
		raw, err := tcp.SyscallConn()
		if err != nil {
			return 0, err
		}
		r.raw, r.try = raw, r.tryRead
	}
	r.buffer = b
	if err := r.raw.Read(r.try); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// tryRead returns false where nothing is there yet.
func (r *reading) tryRead(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), r.buffer.get())
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.buffer.put()
			return false
		case err != nil:
			r.n, r.err = 0, &net.OpError{Op: "read", Net: "tcp", Err: err}
		case n == 0:
			r.n, r.err = 0, io.EOF
		default:
			r.n, r.err = n, nil
		}
		return true
	}
}
