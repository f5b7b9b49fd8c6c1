package mux_test

import (
	"io"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
)

// TestShortTransferWaitsForNoWindow: both ends send 1 MiB on a new stream before the other end
// has read any of it.
func TestShortTransferWaitsForNoWindow(t *testing.T) {
	const short = 1 << 20
	written := make(chan struct{})
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		if _, err := s.Write(make([]byte, short)); err != nil {
			t.Errorf("the server's write: %v", err)
		}
		<-written
		full(t, s, short)
		_ = s.Close() // the client sees its end
	}))
	s := open(t, e.client)
	if _, err := s.Write(make([]byte, short)); err != nil {
		t.Fatal(err)
	}
	close(written)
	full(t, s, short)
	_ = s.Close()
	e.gone(t)
}

// TestSharesComeBack: streams that come and go one after the other all begin alike.
func TestSharesComeBack(t *testing.T) {
	e := connect(t, mux.Config{}, accepted(t, echo))
	before := [...]int{e.client.StartLeft(), e.server.StartLeft()}
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() { _ = open(t, e.client).Close() })
	}
	all.Wait()
	e.gone(t)
	if after := [...]int{e.client.StartLeft(), e.server.StartLeft()}; after != before {
		t.Errorf("%d is left when 200 streams are gone, want %d", after, before)
	}
}

// full reads n bytes.
func full(t *testing.T, s *mux.Stream, n int64) {
	t.Helper()
	if got, err := io.CopyN(io.Discard, s, n); err != nil {
		t.Errorf("%d of %d bytes came: %v", got, n, err)
	}
}
