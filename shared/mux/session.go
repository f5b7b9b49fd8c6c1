package mux

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

// Config says how a session works. The zero value is good for a client.
type Config struct {
	// WindowBudget is what the windows of all streams together may grow by, in bytes; 0:
	// DefaultWindowBudget. Each begins with 256 KiB and a share of 64 MiB.
	WindowBudget int
	// Received holds the memory of what streams have received and their readers have not taken
	// yet. While it is over, no frame is read and no window grows. While it is not, windows may
	// grow by MaxWindow beyond WindowBudget. nil: nothing is counted, and none grows beyond.
	Received *budget.Account
	// Written holds the memory of what waits in Write; nil: nothing is counted.
	Written *budget.Account
	// MaxStreams returns how many streams may be there at once at a server, those counted
	// that wait for their requests or for the other end's FIN; beyond them none is taken
	// until one is gone. It is called often and must not block. nil: any number.
	MaxStreams func() int
	// OnDrain is called when the server goes away, OnNotice for a notice, both by the goroutine
	// that reads frames. They must not block.
	OnDrain  func(in time.Duration, text string)
	OnNotice func(level wire.Level, c wire.Code, text string)
}

// Session is one end of a connection full of streams. All methods may be called at any time.
type Session struct {
	config  Config
	conn    Conn
	writer  *frameWriter
	control control
	signals signals
	gate    *gate
	growth  growth
	tasks   sync.WaitGroup
	done    chan struct{}
	over    atomic.Bool // done is closed, or just about to be
	away    atomic.Bool // the other end takes no more streams

	controlID uint32 // of the control stream; 0: there is none

	// Of an initiator.
	unanswered chan struct{} // holds one for each stream that the other end has not taken; its capacity is the backlog's

	// Of an acceptor.
	handle  func(context.Context, *Stream)
	life    context.Context // of handlers
	endLife context.CancelCauseFunc

	mu      sync.Mutex
	streams map[uint32]*Stream
	nextID  uint32
	listed  int       // streams that Streams counts
	waiting []*Stream // to be taken
	taking  int       // streams that are being taken
	held    int       // streams that were taken and are not gone
}

// Client starts the initiator's end and its control stream. It waits for nothing. The
// session owns conn from now on.
func Client(conn Conn, config Config) (*Session, error) {
	s := newSession(conn, config)
	s.nextID = controlID
	s.unanswered = make(chan struct{}, backlog)
	s.tasks.Go(func() {
		s.read()
		s.finish()
	})
	stream, err := s.Open(wire.Request{Kind: wire.Control})
	if err != nil {
		s.Close()
		return nil, err
	}
	s.control.use(stream)
	return s, nil
}

// Server starts the acceptor's end. It calls handle for each stream whose request has come, in
// a goroutine of its own; handle must reply and in the end close or reset the stream. The
// session owns conn from now on.
//
// The context of handle ends with the session, with Err as its cause. If one end closes the
// session cleanly (Stream.ClosedCleanly), Read still returns all that was sent before. Close
// waits until handle has delivered that, so handle must bound how long it takes.
func Server(conn Conn, config Config, handle func(context.Context, *Stream)) (*Session, error) {
	s := newSession(conn, config)
	s.serve(handle)
	return s, nil
}

// serve starts an acceptor's end.
func (s *Session) serve(handle func(context.Context, *Stream)) {
	s.handle = handle
	s.life, s.endLife = context.WithCancelCause(context.Background())
	s.tasks.Go(func() {
		defer func() { s.endLife(s.Err()) }()
		s.read()
		s.finish()
	})
}

func newSession(conn Conn, config Config) *Session {
	if config.WindowBudget == 0 {
		config.WindowBudget = DefaultWindowBudget
	}
	s := &Session{
		config: config, conn: conn, writer: &frameWriter{conn: conn}, gate: newGate(),
		done: make(chan struct{}), streams: make(map[uint32]*Stream),
		growth: newGrowth(config.WindowBudget, config.Received),
	}
	s.control.session = s
	s.signals, s.controlID = &s.control, controlID
	s.control.incoming.limit = wire.MaxControl
	return s
}

// finish is called when there are no more frames to read: the session is over.
func (s *Session) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over.Store(true)
	if !s.closedCleanly() {
		s.waiting = nil // else what they carry is delivered
	}
	_ = s.conn.Close() // writers see its end; nothing is left to be said
	s.control.end()
	s.growth.close()
	s.gate.close()
	close(s.done)
	for _, stream := range s.streams {
		stream.wake()
	}
}

// frame returns the most that one frame carries at present.
func (s *Session) frame() int { return min(max(s.conn.Frame(), minFrame), MaxFrame) }

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err returns why the session has ended: a *wire.Error, SessionLost if nothing better is known.
func (s *Session) Err() error {
	var e *wire.Error
	if err := s.conn.Err(); errors.As(err, &e) && e.Code != wire.OK {
		return e
	}
	return wire.NewError(wire.SessionLost, "")
}

// Streams returns the number of streams, the control stream not counted, nor those that
// were not taken yet.
func (s *Session) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listed
}

// Close ends the session and its streams at once and waits for the goroutines of the
// session, so no handler may call it.
func (s *Session) Close() {
	if s.closedCleanly() {
		<-s.done // the reader ends with the connection, behind the last frame that has arrived
	}
	_ = s.conn.Close() // ends the reader
	s.tasks.Wait()
}

func (s *Session) find(id uint32) *Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.streams[id]
}

// about calls act with the stream, if it is there.
func (s *Session) about(id uint32, act func(*Stream)) {
	if stream := s.find(id); stream != nil {
		act(stream)
	}
}

// unlist takes a control stream out of what Streams counts.
func (s *Session) unlist(stream *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unlistLocked(stream)
}

func (s *Session) unlistLocked(stream *Stream) {
	if stream.listed {
		stream.listed = false
		s.listed--
	}
}

// remove forgets a stream whose directions have both ended.
func (s *Session) remove(stream *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[stream.id] != stream {
		return // it was removed before
	}
	delete(s.streams, stream.id)
	s.unlistLocked(stream)
	stream.releaseLocked()
}

// releaseLocked is called when the stream is removed, and when its handler has returned;
// behind both a server may take another.
func (s *Stream) releaseLocked() {
	if s.holds--; s.holds == 0 {
		s.session.held--
		s.session.takeLocked()
	}
}
