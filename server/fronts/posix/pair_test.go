package posix

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/mux"
)

// TestPairDeadlines is as those of a stream.
func TestPairDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bridge)
		up, down := newPipe(b), newPipe(b)
		one, other := &pairEnd{up, down}, &pairEnd{down, up}
		one.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := one.Read(make([]byte, 1)); n != 0 || !errors.Is(err, mux.ErrDeadline) {
			t.Errorf("%d, %v", n, err)
		}
		one.SetWriteDeadline(past)
		if n, err := one.Write(make([]byte, pairBuffer+1)); n != pairBuffer || !errors.Is(err, mux.ErrDeadline) {
			t.Errorf("%d, %v", n, err)
		}
		one.SetWriteDeadline(time.Time{})
		wrote := make(chan error, 1)
		go func() {
			_, err := one.Write(make([]byte, 2*pairBuffer))
			wrote <- err
		}()
		if n, err := io.ReadFull(other, make([]byte, 3*pairBuffer)); err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		_ = other.Close() // never fails
		if _, err := one.Write([]byte("x")); !errors.Is(err, closed.Err) {
			t.Errorf("%v", err)
		}
		one.SetReadDeadline(time.Time{})
		if one.WaitReadable(); !one.Readable() {
			t.Error("the end cannot be read")
		}
		if _, err := one.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%v", err)
		}
	})
}
