package posix

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// maxRecv is the most that one recv returns. A program that wants more gets the rest by
	// its next call, as it does where less has come.
	maxRecv = 64 << 10
	// maxWaitAll is the most that one recv with MSG_WAITALL waits for.
	maxWaitAll = 1 << 20
)

// scratch is the memory that reads go through: a socket that waits holds none.
var scratch = sync.Pool{New: func() any { return new([16 << 10]byte) }}

func (s *stream) recv(ctx context.Context, place *turn, length uint32, flags int32) (received, errno) {
	conn := s.connection()
	switch {
	case conn == nil:
		return received{}, wire.ENOTCONN
	case flags&^recvFlags != 0:
		return received{}, wire.EINVAL // also what Linux says of MSG_OOB where none has come
	}
	dontWait := flags&flagDontWait != 0
	limit := s.options.receiveTimeout()
	var until time.Time
	if limit > 0 {
		until = time.Now().Add(limit)
	}
	if e := s.await(ctx, place, dontWait, limit); e != 0 {
		return received{}, e
	}
	if flags&(flagPeek|flagWaitAll) == 0 && length > 0 && len(s.ahead) == 0 {
		got, err := s.readNow(conn, int(min(length, maxRecv)), dontWait, until)
		if got.length > 0 {
			return got, 0
		}
		return received{}, s.nothing(ctx, err)
	}
	least, most := 1, int(max(1, min(length, maxRecv))) // no bytes are waited for as one is, as on Linux
	if flags&flagWaitAll != 0 {
		most = int(min(length, maxWaitAll))
		least = max(1, most)
	}
	err := s.gather(conn, least, most, dontWait, until)
	if n := min(len(s.ahead), most, int(length)); n > 0 || length == 0 && len(s.ahead) > 0 {
		data := append([]byte(nil), s.ahead[:n]...)
		if flags&flagPeek == 0 {
			s.keep(s.ahead[n:])
		}
		return received{data: data, length: n}, 0
	}
	return received{}, s.nothing(ctx, err)
}

// nothing returns the error number of a recv without bytes; 0 at the end of the stream.
func (s *stream) nothing(ctx context.Context, err error) errno {
	switch {
	case ctx.Err() != nil:
		return eEndedBridge
	case errors.Is(err, mux.ErrDeadline) && s.readShut.Load(), errors.Is(err, closed.Err):
		return 0
	case errors.Is(err, mux.ErrDeadline):
		return wire.EAGAIN
	}
	if errors.Is(err, io.EOF) {
		s.sawEnd.Store(true)
	}
	return s.failed(err)
}

// readNow waits for bytes and reads those that are there, up to most. The error says why there are
// none.
func (s *stream) readNow(conn byteStream, most int, dontWait bool, until time.Time) (received, error) {
	if !conn.Readable() && (dontWait || !s.waitReadable(conn, until)) {
		return received{}, mux.ErrDeadline
	}
	conn.SetReadDeadline(time.Time{}) // it is readable, so it does not wait
	in := dataBuffers.Get().(*dataBuffer)
	got, room := received{in: in}, in[calls.ResultSize:]
	for got.length < most {
		n, err := conn.Read(room[got.length:most])
		got.length += n
		got.data = room[:got.length]
		if err != nil {
			if got.length == 0 {
				dataBuffers.Put(in)
				return received{}, err
			}
			break // the next recv has it
		}
		if !conn.Readable() {
			break
		}
	}
	return got, nil
}

// receivesNow implements socket.
func (s *stream) receivesNow(flags int32) bool {
	conn := s.connection()
	return conn == nil || flags&flagDontWait != 0 || flags&flagWaitAll == 0 && conn.Readable()
}

// gather reads until least bytes are ahead, and on to most while they are there. The error
// says why there are not more.
func (s *stream) gather(conn byteStream, least, most int, dontWait bool, until time.Time) error {
	for len(s.ahead) < most {
		if !conn.Readable() {
			if len(s.ahead) >= least {
				return nil
			}
			if dontWait || !s.waitReadable(conn, until) {
				return mux.ErrDeadline
			}
		}
		conn.SetReadDeadline(time.Time{}) // it is readable, so it does not wait
		buffer := scratch.Get().(*[16 << 10]byte)
		n, err := conn.Read(buffer[:min(most-len(s.ahead), len(buffer))])
		if n > 0 {
			s.bridge.out.Hold(n)
			s.ahead = append(s.ahead, buffer[:n]...)
		}
		scratch.Put(buffer)
		if err != nil {
			return err
		}
	}
	return nil
}

// waitReadable reports whether the connection has become readable before a time, the zero one
// for none, and before shutdown.
func (s *stream) waitReadable(conn byteStream, until time.Time) bool {
	conn.SetReadDeadline(until)
	if s.readShut.Load() { // else shutdown sets a deadline that has passed
		return false
	}
	conn.WaitReadable()
	return conn.Readable()
}

// keep drops all that is ahead but for its end.
func (s *stream) keep(rest []byte) {
	s.bridge.out.Hold(len(rest) - len(s.ahead))
	if len(rest) == 0 {
		s.ahead = nil
		return
	}
	s.ahead = append(s.ahead[:0], rest...)
}

func (s *stream) send(ctx context.Context, place *turn, data []byte, flags int32, _ []byte) (int, errno) {
	conn := s.connection()
	switch {
	case flags&flagOOB != 0:
		return 0, eOpNotSupp
	case flags&^sendFlags != 0:
		return 0, wire.EINVAL
	case conn == nil:
		return 0, s.unconnected()
	case s.writeShut.Load():
		return 0, wire.EPIPE
	}
	dontWait := flags&flagDontWait != 0
	limit := s.options.sendTimeout()
	var until time.Time
	switch {
	case dontWait:
		until = past
	case limit > 0:
		until = time.Now().Add(limit)
	}
	if e := s.await(ctx, place, dontWait, limit); e != 0 {
		return 0, e
	}
	conn.SetWriteDeadline(until)
	if s.writeShut.Load() { // else shutdown sets a deadline that has passed
		return 0, wire.EPIPE
	}
	n, err := conn.Write(data)
	switch {
	case n > 0 || err == nil:
		return n, 0
	case ctx.Err() != nil:
		return 0, eEndedBridge
	case s.writeShut.Load(), errors.Is(err, closed.Err):
		return 0, wire.EPIPE
	case errors.Is(err, mux.ErrDeadline):
		return 0, wire.EAGAIN
	}
	if e := s.failed(err); e != 0 {
		return 0, e
	}
	return 0, wire.EPIPE
}

// sendNow implements socket.
func (s *stream) sendNow(data []byte, flags int32) int {
	conn := s.connection()
	if conn == nil || flags&^sendFlags != 0 || s.writeShut.Load() {
		return 0
	}
	return conn.WriteNow(data)
}

// unconnected returns the error number of a send without a connection: Linux's.
func (s *stream) unconnected() errno { return wire.EPIPE }
