package posix

import (
	"errors"
	"io"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// maxData is the most data that one send takes. A program that sends more is told how much
// was taken, as by a socket whose buffer is full.
const maxData = 1 << 20

// firstRead is the size of the buffer that a message begins in.
const firstRead = 512

// read reads a message, of which it keeps what a call needs. cut says that there was more.
func (b *bridge) read(r io.Reader) (message []byte, cut bool, err error) {
	message = make([]byte, 0, firstRead)
	held := 0
	hold := func() {
		b.in.Hold(cap(message) - held)
		held = cap(message)
	}
	defer func() { b.in.Hold(-held) }() // a call that waits counts its data
	hold()
	for len(message) < calls.MaxHead+maxData {
		if len(message) == cap(message) {
			message = append(make([]byte, 0, min(4*cap(message), calls.MaxHead+maxData)), message...)
			hold()
		}
		n, err := r.Read(message[len(message):cap(message)])
		message = message[:len(message)+n]
		if errors.Is(err, io.EOF) {
			return message, false, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	n, err := io.Copy(io.Discard, r)
	return message, n > 0, err
}
