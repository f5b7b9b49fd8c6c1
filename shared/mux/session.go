package mux

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Conn is what a session runs over: a *link.Link.
type Conn interface {
	io.ReadWriteCloser
	// Fail ends the connection and tells the other end why.
	Fail(*wire.Error)
	// Err says why the connection has ended; nil while it lives.
	Err() error
}

// Config says how a session works. The zero value is good for a client.
type Config struct {
	// WindowBudget is what the windows of all streams together may grow by, in bytes; 0: DefaultWindowBudget. Each begins with 256 KiB.
	WindowBudget uint64
	// MaxStreams returns how many streams may be there at once at a server, those counted that wait for their requests or for the other end's FIN; beyond them none is
	// taken until one is gone. It is called often and must not block. nil: any number.
	MaxStreams func() int
	OnDrain    func(in time.Duration, text string)              // the server goes away; called by the goroutine that reads control messages, must not block
	OnNotice   func(level wire.Level, c wire.Code, text string) // as OnDrain
}

// Session is one end of a connection full of streams. All methods may be called at any time.
type Session struct {
	config  Config
	conn    Conn
	yamux   *yamux.Session
	log     lastLine
	control control
	writer  frameWriter
	windows windows
	guard   guard
	gate    *gate
	pace    pacer // nil: conn does not care
	tasks   sync.WaitGroup

	mu      sync.Mutex
	streams map[uint32]*Stream
	taken   int        // streams that a server has taken and that are not gone
	fewer   *sync.Cond // taken has become less, or the session has ended
	early   early
	closed  bool // by Close: yamux's reasons do not matter
}

// Client starts the opener's end and its control stream. It waits for nothing. The session owns conn from now on.
func Client(conn Conn, config Config) (*Session, error) {
	s, err := newSession(conn, config, false, yamux.Client)
	if err != nil {
		return nil, err
	}
	stream, err := s.open(wire.Request{Kind: wire.Control})
	if err != nil {
		s.Close()
		return nil, err
	}
	s.tasks.Go(func() { s.clientControl(stream) })
	return s, nil
}

// Server starts the accepter's end. handle is called for each stream whose request has been read, in a goroutine of its own; it must reply and in the end
// close or reset the stream. Its context ends with the session. The session owns conn from now on.
func Server(conn Conn, config Config, handle func(context.Context, *Stream)) (*Session, error) {
	s, err := newSession(conn, config, true, yamux.Server)
	if err != nil {
		return nil, err
	}
	s.tasks.Go(func() { s.accept(handle) })
	return s, nil
}

func newSession(conn Conn, config Config, accepts bool, start func(io.ReadWriteCloser, *yamux.Config) (*yamux.Session, error)) (*Session, error) {
	if config.WindowBudget == 0 {
		config.WindowBudget = DefaultWindowBudget
	}
	s := &Session{config: config, conn: conn, streams: make(map[uint32]*Stream), gate: newGate()}
	s.windows = windows{budget: config.WindowBudget, streams: make(map[uint32]*window)}
	s.guard.accepts, s.guard.windows = accepts, &s.windows
	s.fewer = sync.NewCond(&s.mu)
	s.pace, _ = conn.(pacer)
	s.control.init()
	s.writer = frameWriter{to: conn, onGrant: s.windows.grant, onFrame: s.guard.sent}
	var err error
	s.yamux, err = start(&tapped{
		frameReader: frameReader{Reader: conn, check: s.guard.check, onBad: conn.Fail, onFIN: s.finished, onWindow: s.mayWrite},
		frameWriter: &s.writer,
		session:     s,
	}, yamuxConfig(yamuxWindow, &s.log))
	if err != nil {
		return nil, err // of a configuration that is ours
	}
	s.tasks.Go(s.writeControl)
	return s, nil
}

// tapped is the connection as yamux sees it.
type tapped struct {
	frameReader
	*frameWriter
	session *Session
}

func (t *tapped) Read(b []byte) (int, error) { return t.frameReader.Read(b) }

// Write never fails because the other end has closed the session: nobody wants what is written then, and yamux would stop reading what was sent before the close.
func (t *tapped) Write(b []byte) (int, error) {
	n, err := t.frameWriter.Write(b)
	if err != nil && t.session.closedCleanly() {
		return len(b), nil
	}
	return n, err
}

// Close is called by yamux when its session ends. Where nobody asked for that the other end broke yamux's rules.
func (t *tapped) Close() error {
	s := t.session
	s.interrupt()
	s.mu.Lock()
	asked := s.closed
	s.mu.Unlock()
	if text := s.log.String(); !asked && s.conn.Err() == nil && text != "" {
		s.conn.Fail(wire.NewError(wire.Protocol, text))
	}
	err := s.conn.Close()
	s.gate.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range s.streams {
		stream.wakeWriter()
	}
	s.fewer.Broadcast()
	return err
}

// interrupt ends what waits in yamux for a stream. When its session ends, yamux's Read and Write look again and again until their stream has been told, in a
// loop that gives way to nobody; where all goroutines share one thread that nothing preempts (a browser) that is for ever. A deadline ends the loop.
// It must be called before anything that lets other goroutines run.
func (s *Session) interrupt() {
	s.control.mu.Lock()
	if s.control.stream != nil {
		_ = s.control.stream.yamux.SetDeadline(past) // never fails
	}
	s.control.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, stream := range s.streams {
		_ = stream.yamux.SetDeadline(past) // never fails
	}
}

// pacer is a Conn that knows its path.
type pacer interface {
	// Frame returns how many bytes one frame should carry at present: what stands behind it waits for the whole of it.
	Frame() int
	// RTT returns the round trip, 0 where it is not known.
	RTT() time.Duration
}

// frame is the most that one frame carries at present.
func (s *Session) frame() int {
	if s.pace == nil {
		return MaxFrame
	}
	return min(max(s.pace.Frame(), minFrame), MaxFrame)
}

// mayWrite notes a window update of the other end. It is called by yamux's reader.
func (s *Session) mayWrite(id, delta uint32) {
	if id != controlID {
		s.about(id, func(stream *Stream) { stream.mayWrite(delta) })
	}
}

// consumed notes that bytes of a stream were read, and lets the other end send more. It may wait as long as a Write.
func (s *Session) consumed(id uint32, n int) {
	rtt := time.Duration(0)
	if s.pace != nil {
		rtt = s.pace.RTT()
	}
	if update := s.windows.consume(id, n, rtt); update > 0 {
		_ = s.writer.send(windowUpdate(id, update)) // fails only with the session
	}
}

// Done is closed when the session has ended.
func (s *Session) Done() <-chan struct{} { return s.yamux.CloseChan() }

// Err says why the session has ended: a *wire.Error, SessionLost where nothing better is known.
func (s *Session) Err() error {
	var e *wire.Error
	if err := s.conn.Err(); errors.As(err, &e) && e.Code != wire.OK {
		return e
	}
	return wire.NewError(wire.SessionLost, "")
}

// Streams returns the number of streams, the control stream not counted.
func (s *Session) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.streams)
}

// Close ends the session and its streams at once and waits for the goroutines of the session, so no handler may call it.
func (s *Session) Close() {
	if s.closedCleanly() {
		<-s.yamux.CloseChan() // its reader ends with the connection, behind the last frame that has arrived
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.yamux.Close() // never fails
	s.control.end()
	s.tasks.Wait()
}

// finished notes a FIN. It is called by yamux's reader.
func (s *Session) finished(id uint32) { s.about(id, (*Stream).finished) }

// about calls act with the stream, at once or when the accepter has taken it: news can be faster than the accepter.
func (s *Session) about(id uint32, act func(*Stream)) {
	s.mu.Lock()
	stream := s.streams[id]
	if stream == nil {
		s.early.put(id, act)
	}
	s.mu.Unlock()
	if stream != nil {
		act(stream)
	}
}

func (s *Session) add(y *yamux.Stream) *Stream { return s.addHeld(y, 0) }

// accepted is add for a stream of the other end.
func (s *Session) accepted(y *yamux.Stream) *Stream { return s.addHeld(y, 2) }

func (s *Session) addHeld(y *yamux.Stream, holds int) *Stream {
	stream := &Stream{session: s, yamux: raw{y}, window: firstWindow, holds: holds}
	stream.writable = sync.NewCond(&stream.mu)
	s.mu.Lock()
	if holds > 0 {
		s.taken++
	}
	s.streams[y.StreamID()] = stream
	news := s.early.take(y.StreamID())
	s.mu.Unlock()
	for _, act := range news {
		act(stream)
	}
	return stream
}

func (s *Session) remove(stream *Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[stream.ID()] != stream {
		return // it was removed before
	}
	delete(s.streams, stream.ID())
	s.windows.forget(stream.ID())
	stream.releaseLocked()
}

// releaseLocked is called when the stream is removed, and when its handler has returned; behind both a server may take another.
func (s *Stream) releaseLocked() {
	if s.holds--; s.holds == 0 {
		s.session.taken--
		s.session.fewer.Signal()
	}
}

// awaitRoom waits until one more stream may be taken; it returns false when the session has ended.
func (s *Session) awaitRoom() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.config.MaxStreams != nil && s.taken >= s.config.MaxStreams() && !s.yamux.IsClosed() {
		s.fewer.Wait()
	}
	return !s.yamux.IsClosed()
}
