package mux_test

import (
	"io"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/mux"
)

// openAll opens streams before any of them carries bytes.
func openAll(t *testing.T, s *mux.Session, n int) (streams []*mux.Stream) {
	t.Helper()
	for range n {
		streams = append(streams, open(t, s))
	}
	return streams
}

// A session that holds its share of the memory gets no more than that, and all of the rest
// when its readers go on.
func TestShareOfReceived(t *testing.T) {
	const streams, size, memory, chunk = 16, 200 << 10, 2 << 20, 64 << 10
	account := budget.New(memory, 0).Account()
	read := make(chan struct{})
	var served, writers sync.WaitGroup
	served.Add(streams)
	e := connect(t, mux.Config{Received: account}, accepted(t, func(s *mux.Stream) {
		defer served.Done()
		<-read
		s.WaitReadable()
		if n, err := io.Copy(io.Discard, s); n != size || err != nil {
			t.Errorf("%d bytes, %v, want %d", n, err, size)
		}
		_ = s.Close() // the client sees its end
	}))
	for _, s := range openAll(t, e.client, streams) {
		writers.Go(func() {
			for range size / 1024 {
				if _, err := s.Write(make([]byte, 1024)); err != nil {
					t.Errorf("write: %v", err)
					return
				}
			}
			_ = s.Close() // it waits for the rest
		})
	}
	for !account.Over() {
		time.Sleep(time.Millisecond) // polls a figure that comes, or the test runs out of time
	}
	if held := account.Held(); held > memory/2+2*chunk {
		t.Errorf("%d bytes are held, want half of %d and a chunk", held, memory)
	}
	close(read)
	served.Wait()
	writers.Wait()
	e.gone(t)
	if held := account.Held(); held != 0 {
		t.Errorf("%d bytes are held when all was read", held)
	}
}

// A stream that is given up in the middle of what came holds nothing afterwards.
func TestNothingIsHeldOfAStreamThatWasGivenUp(t *testing.T) {
	account := budget.New(1<<30, 0).Account()
	e := connect(t, mux.Config{Received: account}, accepted(t, func(s *mux.Stream) {
		if _, err := io.ReadFull(s, make([]byte, 50<<10)); err != nil {
			t.Errorf("read: %v", err)
		}
		_ = s.Close() // the client sees its end
	}))
	var clients sync.WaitGroup
	for _, s := range openAll(t, e.client, 8) {
		clients.Go(func() {
			_, _ = s.Write(make([]byte, 100<<10)) // the server may have stopped reading
			_ = s.Close()                         // as above
		})
	}
	clients.Wait()
	e.gone(t)
	if held := account.Held(); held != 0 {
		t.Errorf("%d bytes are held of streams that are gone", held)
	}
}
