package mux

import (
	"io"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/wire"
)

// Conn is the connection below a session: one ordered byte stream in each direction, which
// loses nothing while it lives. *link.Link is one; muxtest has one for tests.
//
// One goroutine reads and one at a time writes. Each method that writes blocks while the
// connection takes nothing, and fails only after the connection has ended. Close, Fail and Err
// may be called at any time.
type Conn interface {
	// Read returns io.EOF after the other end has closed the connection without an error. Until
	// then it returns every byte that the other end sent before.
	io.Reader
	// ReadBody returns what Read would return next as a payload, which the caller owns. It
	// returns nil if the next bytes are no payload of at most the given length. It blocks as
	// Read does.
	ReadBody(most int) (buffer.Payload, error)

	// WriteParts writes first and then second, which may be empty, without a frame between
	// them. It copies both.
	WriteParts(first, second []byte) (int, error)
	// WriteLater is WriteParts for bytes that may wait some milliseconds for others.
	WriteLater(b []byte) (int, error)
	// Fill writes a header and then least to most bytes that put makes in the memory from
	// which they are sent. put returns how many it has made, 0 for no frame at all;
	// header returns the header for that many bytes, which always has the same length.
	// Neither may block or call the connection.
	Fill(least, most int, put func(b []byte) int, header func(n int) []byte) error

	// Frame returns how many bytes one frame should carry at present. Whatever is written next
	// waits for the whole frame.
	Frame() int
	// Bare returns how many bytes a frame may carry that travels as a bare message, 0 if none
	// may at present.
	Bare() int
	// RTT returns the round trip time, 0 if it is not known.
	RTT() time.Duration

	// Close ends the connection at once.
	io.Closer
	// Fail ends the connection and tells the other end why.
	Fail(*wire.Error)
	// Done returns a channel that is closed when the connection has ended. What came before may
	// not have been read yet.
	Done() <-chan struct{}
	// Err returns why the connection has ended: a *wire.Error with the code OK after a clean
	// close, nil while the connection lives.
	Err() error
}
