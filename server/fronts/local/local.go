// Package local joins a front to the streams of its session, within one process. A front
// whose protocol has sockets of its own opens a stream for each, as a client does:
//
//	tunnel := local.Open(terms)
//	stream, err := tunnel.OpenStream(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 80})
//	result, err := stream.Result(ctx)
//
// So all kinds of streams, their policy, limits and log hold without a word in the front. The bytes
// of a stream wait in memory between both ends: there are no frames, and no goroutine carries them.
package local

import (
	"context"
	"errors"
	"sync"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/wire"
)

// Tunnel is the streams of a session in memory. All methods may be called at any time.
type Tunnel struct {
	handle           func(context.Context, session.Stream)
	received, unsent *budget.Account // of what goes to the relay, and of what comes from it
	life             context.Context // of handlers
	endLife          context.CancelCauseFunc
	tasks            sync.WaitGroup // streams that handlers have not done with
	workers          *workers       // run handlers

	mu      sync.Mutex
	streams map[*Stream]struct{} // which handlers have not done with
	reason  *wire.Error          // of the end; nil: it has not ended
}

// Open opens a tunnel on the terms of a session. The caller closes it.
func Open(terms session.ForeignTerms) *Tunnel {
	t := &Tunnel{handle: terms.Handle, received: terms.Mux.Received, unsent: terms.Unsent, workers: newWorkers(), streams: make(map[*Stream]struct{})}
	t.life, t.endLife = context.WithCancelCause(context.Background()) // until end
	return t
}

// OpenStream sends a request on a new stream. It waits for no answer: Result tells it.
func (t *Tunnel) OpenStream(request wire.Request) (*Stream, error) { return t.OpenThen(request, nil) }

// OpenThen is OpenStream that calls then once with what Result returns, in the goroutine that has
// it: that of the relay, that of a Reset, or the one that ends the tunnel. then may block, and
// holds up the stream so long.
func (t *Tunnel) OpenThen(request wire.Request, then func(*Stream, wire.Result, error)) (*Stream, error) {
	s := newStream(t, request, then)
	t.mu.Lock()
	if t.reason != nil {
		t.mu.Unlock()
		return nil, lost(t.reason)
	}
	t.streams[s] = struct{}{}
	t.tasks.Add(1) // end comes behind it
	t.mu.Unlock()
	t.workers.run(func() { t.serve(s) }) // Close waits for it
	return s, nil
}

func (t *Tunnel) serve(s *Stream) {
	t.handle(t.life, served{s})
	if !s.detached {
		t.release(s)
	}
}

// release is called when the handler has done with a stream.
func (t *Tunnel) release(s *Stream) {
	if s.after != nil {
		s.after()
	}
	t.mu.Lock()
	delete(t.streams, s)
	t.mu.Unlock()
	t.tasks.Done()
}

// Finish ends the tunnel as the end of a program does: what streams have taken is delivered to
// their targets. A stream with a Write under way is reset.
func (t *Tunnel) Finish() {
	for _, s := range t.all() {
		s.leave()
	}
	t.end(wire.NewError(wire.OK, ""))
}

// Fail ends the tunnel and its streams at once. The first reason for the end stays.
func (t *Tunnel) Fail(err *wire.Error) { t.end(err) }

// Close ends the tunnel at once and waits until none of its streams is left. Behind Finish it
// waits until the last bytes are delivered. It is called once.
func (t *Tunnel) Close() {
	t.end(wire.NewError(wire.SessionLost, "the tunnel was closed"))
	t.tasks.Wait()
	t.workers.end()
}

// end keeps the first reason.
func (t *Tunnel) end(reason *wire.Error) {
	t.mu.Lock()
	again := t.reason != nil
	if !again {
		t.reason = reason
	}
	t.mu.Unlock()
	if again {
		return
	}
	err := lost(reason)
	for _, s := range t.all() {
		s.end(err)
	}
	t.endLife(err)
}

// lost returns what streams are told of the end of their tunnel: a clean end is no error of it.
func lost(reason *wire.Error) *wire.Error {
	if reason.Code == wire.OK {
		return wire.NewError(wire.SessionLost, "")
	}
	return reason
}

func (t *Tunnel) all() []*Stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]*Stream, 0, len(t.streams))
	for s := range t.streams {
		all = append(all, s)
	}
	return all
}

func (t *Tunnel) endedCleanly() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reason != nil && t.reason.Code == wire.OK
}

// CodeOf returns the code in an error of a stream; wire.Internal if there is none.
func CodeOf(err error) wire.Code {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return wire.Internal
}
