package product

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
)

// Neighbor is an honest client beside hostile ones: it keeps one stream to an echo and
// exchanges messages over it, one at a time, until Stop.
type Neighbor struct {
	client *client.Client
	stream *mux.Stream
	stop   chan struct{}
	once   sync.Once
	done   chan struct{}

	mu     sync.Mutex
	report Report
	total  int       // exchanges since the start
	began  time.Time // of the exchange that is under way
}

// Report is what a neighbor has seen.
type Report struct {
	Exchanges int
	Slowest   time.Duration // of one exchange, also of one that is under way
	Err       error         // why it could not go on: the stream is lost
}

// exchanged is what one exchange sends and gets back, in bytes.
const exchanged = 4 << 10

// StartNeighbor opens a neighbor's session and stream. It fails the test where that fails.
// The neighbor is stopped at the test's end.
func (s *Server) StartNeighbor(t testing.TB, echo netip.AddrPort, changes ...func(*client.Config)) *Neighbor {
	t.Helper()
	n := &Neighbor{client: s.Dial(t, changes...), stop: make(chan struct{}), done: make(chan struct{})}
	n.stream = Open(t, n.client, echo)
	go n.run() // Stop waits for it
	t.Cleanup(func() { n.Stop() })
	return n
}

func (n *Neighbor) run() {
	defer close(n.done)
	for i := 0; ; i++ {
		select {
		case <-n.stop:
			return
		default:
		}
		n.mu.Lock()
		n.began = time.Now()
		n.mu.Unlock()
		err := exchange(n.stream, byte(i))
		n.mu.Lock()
		took := time.Since(n.began)
		n.began = time.Time{}
		select {
		case <-n.stop: // Stop ended an exchange that hung, and has told of it
		default:
			if n.report.Err = err; err == nil {
				n.report.Exchanges++
				n.total++
			}
			n.report.Slowest = max(n.report.Slowest, took)
		}
		n.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// exchange sends a message and compares what comes back. The message fits the windows.
func exchange(s *mux.Stream, fill byte) error {
	message := bytes.Repeat([]byte{fill}, exchanged)
	if _, err := s.Write(message); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	answer := make([]byte, exchanged)
	if _, err := io.ReadFull(s, answer); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if !bytes.Equal(answer, message) {
		return errors.New("the answer differs from the message")
	}
	return nil
}

// Report returns what the neighbor has seen since the start, or since the last Report: the
// figures begin anew. An exchange under way counts for Slowest.
func (n *Neighbor) Report() Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.report
	if !n.began.IsZero() {
		r.Slowest = max(r.Slowest, time.Since(n.began))
	}
	n.report = Report{Err: r.Err}
	return r
}

// Exchange waits for the next whole exchange, to show that the neighbor goes on. It returns
// an error if the stream is lost or ctx ends.
func (n *Neighbor) Exchange(ctx context.Context) error {
	before := n.count()
	tick := time.NewTicker(time.Millisecond) // polls a counter
	defer tick.Stop()
	for n.count() < before+2 { // the first may have begun before
		select {
		case <-tick.C:
		case <-n.done:
			n.mu.Lock()
			defer n.mu.Unlock()
			return fmt.Errorf("the neighbor has stopped: %w", n.report.Err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (n *Neighbor) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.total
}

// Stop ends the neighbor and its session, and returns the last Report. An exchange under way
// has a minute to finish. Later calls return the same Err and no figures.
func (n *Neighbor) Stop() Report {
	n.once.Do(func() { close(n.stop) })
	select {
	case <-n.done:
	case <-time.After(patience):
		n.mu.Lock()
		n.report.Err = errors.New("an exchange does not end")
		n.mu.Unlock()
	}
	n.client.Close() // ends an exchange that hangs
	<-n.done
	return n.Report()
}
