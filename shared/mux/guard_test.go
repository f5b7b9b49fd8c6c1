package mux_test

import (
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// frame is a yamux frame with a header of any content.
func frame(kind byte, flags uint16, stream, length uint32, body ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, kind}, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint32(b, length)
	return append(b, body...)
}

// Types and flags of yamux frames.
const (
	data, update, ping = 0, 1, 2
	syn, ack, fin, rst = 1, 2, 4, 8
)

// deaf is a stream whose other end sends what the test gives and reads nothing.
type deaf struct {
	io.Reader
	feed *io.PipeWriter

	once   sync.Once
	closed chan struct{}
}

func newDeaf() *deaf {
	r, w := io.Pipe()
	return &deaf{Reader: r, feed: w, closed: make(chan struct{})}
}

func (d *deaf) Write([]byte) (int, error) {
	<-d.closed
	return 0, io.ErrClosedPipe
}

func (d *deaf) Close() error {
	d.once.Do(func() {
		close(d.closed)
		d.feed.Close()
	})
	return nil
}

// request is what opens a stream, with the first bytes of it.
func request(t testing.TB, id uint32, q wire.Request) []byte {
	t.Helper()
	body, err := q.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(frame(update, syn, id, 0), frame(data, 0, id, uint32(len(body)), body...)...)
}

// TestViolations: what yamux would take, or end without a word for, ends the session with a reason.
func TestViolations(t *testing.T) {
	const most = 256<<10 + 1<<20 // the window of a stream that was taken
	for _, test := range []struct {
		what, says string
		bytes      []byte
	}{
		{"version", "version 1", []byte{1, data, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"type", "type 4", frame(4, 0, 0, 0)},
		{"even stream", "stream 2 ", frame(update, syn, 2, 0)},
		{"stream 0", "stream 0 ", frame(data, syn, 0, 0)},
		{"one frame beyond the window", "window", append(frame(update, syn, 3, 0), frame(data, 0, 3, most+1)...)},
		{"many frames beyond the window", "window", append(frame(update, syn, 3, 0), strings.Repeat(string(frame(data, 0, 3, 64<<10, make([]byte, 64<<10)...)), most>>16+1)...)},
		{"pings", "pings", []byte(strings.Repeat(string(frame(ping, syn, 0, 7)), 5000))},
		{"streams", "streams wait", synFlood()},
		{"duplicate", "duplicate", append(frame(update, syn, 3, 0), frame(update, syn, 3, 0)...)},
	} {
		t.Run(test.what, func(t *testing.T) {
			conn := newDeaf()
			s, err := mux.Server(muxtest.New(conn), mux.Config{}, func(_ context.Context, s *mux.Stream) { _ = s.Close() })
			if err != nil {
				t.Fatal(err)
			}
			_, _ = conn.feed.Write(test.bytes) // fails where the session ends before it has read all
			<-s.Done()
			if err := s.Err(); !isCode(err, wire.Protocol) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want protocol and %q", err, test.says)
			}
			s.Close()
		})
	}
}

// synFlood opens more streams than may wait.
func synFlood() []byte {
	var b []byte
	for id := uint32(1); id < 5000; id += 2 {
		b = append(b, frame(update, syn, id, 0)...)
	}
	return b
}

// TestServerOpensNothing: a client takes no streams.
func TestServerOpensNothing(t *testing.T) {
	conn := newDeaf()
	s, err := yamuxClient(conn)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.feed.Write(frame(update, syn, 2, 0)) // the session ends
	<-s.Done()
	if err := s.Err(); !isCode(err, wire.Protocol) {
		t.Errorf("%v, want protocol", err)
	}
	s.Close()
}

// yamuxClient is a client whose request of the control stream is taken.
func yamuxClient(conn *deaf) (*mux.Session, error) {
	return mux.Client(muxtest.New(taking{conn}), mux.Config{})
}

// taking takes what is written.
type taking struct{ *deaf }

func (taking) Write(b []byte) (int, error) { return len(b), nil }

// TestAnswersAreBounded: a peer that asks for answers and reads none is cut off.
func TestAnswersAreBounded(t *testing.T) {
	taken := &gulp{deaf: newDeaf(), most: 1 << 10, took: make(chan struct{}, 1<<10)} // the result of the control stream
	s, err := mux.Server(muxtest.New(taken), mux.Config{}, func(context.Context, *mux.Stream) {})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := taken.feed.Write(request(t, 1, wire.Request{Kind: wire.Control})); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the window beyond the first 256 KiB, and the result
		<-taken.took
	}
	message := wire.StreamReset{ID: 77, Code: wire.Reset}.Append(nil)
	block := []byte(strings.Repeat(string(message), 1000))
	for range 100 {
		if _, err = taken.feed.Write(frame(data, 0, 1, uint32(len(block)), block...)); err != nil {
			break
		}
	}
	<-s.Done()
	if err := s.Err(); !isCode(err, wire.Protocol) || !strings.Contains(err.Error(), "resets") {
		t.Errorf("%v, want protocol", err)
	}
}

// gulp is a deaf stream that takes some bytes first.
type gulp struct {
	*deaf
	mu   sync.Mutex
	most int
	took chan struct{} // one for each Write; nil: not counted
}

func (g *gulp) Write(b []byte) (int, error) {
	g.mu.Lock()
	g.most -= len(b)
	room := g.most >= 0
	g.mu.Unlock()
	if room {
		if g.took != nil {
			g.took <- struct{}{}
		}
		return len(b), nil
	}
	return g.deaf.Write(b)
}

// TestStreamsAreBounded: a client that opens streams and asks for nothing, or reads no
// refusal, holds no more of them than MaxStreams and the backlog.
func TestStreamsAreBounded(t *testing.T) {
	const most = 16
	before := runtime.NumGoroutine()
	conn := newDeaf()
	s, err := mux.Server(muxtest.New(conn), mux.Config{MaxStreams: func() int { return most }}, func(_ context.Context, s *mux.Stream) {
		_ = s.Reply(wire.Result{Code: wire.Limit}) // it is not read
		_ = s.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := uint32(1); id < 500; id += 2 {
		if _, err := conn.feed.Write(frame(update, syn, id, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Streams(); n > most {
		t.Errorf("%d streams, want %d at most", n, most)
	}
	if n := runtime.NumGoroutine() - before; n > most+10 {
		t.Errorf("%d goroutines for %d streams", n, most)
	}
	s.Close()
}
