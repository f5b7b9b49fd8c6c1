//go:build unix

package relay

import (
	"io"
	"net"
	"syscall"

	"github.com/sockmux/sockmux/server/relay/egress"
)

// reading reads from a connection and holds no buffer while it waits. It is for one
// goroutine. The zero value is ready.
type reading struct {
	raw    syscall.RawConn // nil: before the first read, or of a connection that is more than a socket
	try    func(fd uintptr) bool
	buffer *buffer
	into   []byte                // of now
	once   func(fd uintptr) bool // likewise
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
		r.raw, r.try, r.once = raw, r.tryRead, r.readOnce
	}
	r.buffer = b
	if err := r.raw.Read(r.try); err != nil {
		return 0, err
	}
	return r.n, r.err
}

// tryRead returns false where nothing is there yet.
func (r *reading) tryRead(fd uintptr) bool {
	r.readFrom(fd, r.buffer.get())
	if r.n == 0 && r.err == nil {
		r.buffer.put()
		return false
	}
	return true
}

// direct reports whether there is now.
func (r *reading) direct() bool { return r.raw != nil }

// now reads what is there: nothing, and no error, where that is nothing.
func (r *reading) now(b []byte) (int, error) {
	r.into = b
	err := r.raw.Read(r.once)
	r.into = nil
	if err != nil {
		return 0, err
	}
	return r.n, r.err
}

func (r *reading) readOnce(fd uintptr) bool {
	r.readFrom(fd, r.into)
	return true
}

// readFrom reads once without waiting.
func (r *reading) readFrom(fd uintptr, b []byte) {
	for {
		n, err := syscall.Read(int(fd), b)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.n, r.err = 0, nil
		case err != nil:
			r.n, r.err = 0, &net.OpError{Op: "read", Net: "tcp", Err: err}
		case n == 0:
			r.n, r.err = 0, io.EOF
		default:
			r.n, r.err = n, nil
		}
		return
	}
}
