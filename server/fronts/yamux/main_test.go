package yamux

import (
	"context"
	"io"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// line is a Transport in memory. The test is the client.
type line struct {
	toServer *io.PipeReader
	client   *io.PipeWriter
	failure  error         // of Send; nil: it does not fail
	taken    chan struct{} // filled by a client that takes messages; nil: it takes all

	mu       sync.Mutex
	messages [][]byte
	code     int // of Close; -1: it was not called
	reason   string
	steps    []string // calls of Admit, Dismiss and Close
}

func newLine() *line {
	r, w := io.Pipe()
	return &line{toServer: r, client: w, code: -1}
}

func (l *line) Read(_ context.Context, b []byte) (int, error) { return l.toServer.Read(b) }

func (l *line) Send(ctx context.Context, message []byte) error {
	if l.taken != nil {
		select {
		case <-l.taken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if l.failure != nil {
		return l.failure
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.messages = append(l.messages, append([]byte(nil), message...))
	return nil
}

func (l *line) Close(code int, reason string) error {
	l.mu.Lock()
	if l.code < 0 {
		l.code, l.reason = code, reason
		l.steps = append(l.steps, "close")
	}
	l.mu.Unlock()
	return l.toServer.CloseWithError(io.ErrClosedPipe)
}

func (l *line) step(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, what)
}

func (l *line) Admit()   { l.step("admit") }
func (l *line) Dismiss() { l.step("dismiss") }

// sent returns the messages that were sent, and how the line was closed.
func (l *line) sent() (messages [][]byte, code int, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.messages, l.code, l.reason
}
