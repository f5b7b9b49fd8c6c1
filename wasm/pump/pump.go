// Package pump moves bytes between the streams of a client and a page that can neither be
// waited for nor wait: what the page asks for is queued and returns at once, and what
// there is to tell is queued until the page asks.
//
// It is portable; wasm/main_js.go joins it to the boundary. Goroutines: each stream has a
// reader and a writer; Close waits for them.
package pump

import (
	"sync"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/memory"
)

// Opener opens streams; *client.Client is one.
type Opener interface {
	Open(wire.Request) (*mux.Stream, error)
}

// Unlimited is a window that takes no account of grants.
const Unlimited = 1<<32 - 1

// Pump holds the streams of a page, by the page's own numbers. No method waits, but Close.
type Pump struct {
	opener Opener
	pool   *memory.Pool
	notify func() // there are events

	mu        sync.Mutex
	queue     queue
	lent      []byte // of the event that Next gave last
	streams   map[uint32]*stream
	tasks     sync.WaitGroup
	abandoned bool // nothing takes events any more
	notices   notices
}

// New returns an empty pump. notify is called when the first event has come since Next
// last found none; it must not call the pump.
func New(opener Opener, pool *memory.Pool, notify func()) *Pump {
	return &Pump{opener: opener, pool: pool, notify: notify, streams: make(map[uint32]*stream)}
}

// Request is what Open is to do.
type Request struct {
	wire.Request        // whose Timeout is for everything until the stream is open; 0: as long as it takes
	Optimistic   bool   // the page counts the stream as open already: no Opened comes
	Window       uint32 // bytes that may come before a grant
}

// Open begins a stream with a number that was never used before.
func (p *Pump) Open(id uint32, request Request) {
	s := newStream(p, id, request)
	p.mu.Lock()
	p.streams[id] = s
	p.mu.Unlock()
	p.tasks.Go(s.run)
}

func (p *Pump) find(id uint32) *stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.streams[id]
}

// Write queues bytes in a buffer of the pool. What is written to a stream that is gone is dropped.
func (p *Pump) Write(id uint32, b []byte) {
	if s := p.find(id); s != nil {
		s.write(b)
		return
	}
	p.pool.Put(b)
}

// CloseWrite ends the page's direction behind what was written.
func (p *Pump) CloseWrite(id uint32) {
	if s := p.find(id); s != nil {
		s.closeWrite()
	}
}

// Stop gives up reading.
func (p *Pump) Stop(id uint32) {
	if s := p.find(id); s != nil {
		s.stop()
	}
}

// Reset ends both directions at once.
func (p *Pump) Reset(id uint32, code wire.Code) {
	if s := p.find(id); s != nil {
		s.reset(code)
	}
}

// SetSocketOptions sets options of the connection to the target.
func (p *Pump) SetSocketOptions(id uint32, options wire.SocketOptions) {
	if s := p.find(id); s != nil {
		s.setSocketOptions(options)
	}
}

// Grant lets that many more bytes come.
func (p *Pump) Grant(id, bytes uint32) {
	if s := p.find(id); s != nil {
		s.grant(bytes)
	}
}

// TellState queues a state of the client's.
func (p *Pump) TellState(s client.State) {
	e := Event{Kind: State, ID: uint32(s.Phase), A: uint32(s.Attempt)}
	if s.Reason != nil {
		e.B, e.Data = uint32(s.Reason.Code), []byte(s.Reason.Text)
	}
	p.tell(e)
}

// Abandon prepares for the end of the client when the page takes and gives no more. A stream
// whose written bytes the session has not all taken is reset with the code aborted; the others
// end with the client. No stream waits for the page any more.
func (p *Pump) Abandon() {
	p.mu.Lock()
	p.abandoned = true
	p.queue.release()
	streams := make([]*stream, 0, len(p.streams))
	for _, s := range p.streams {
		streams = append(streams, s)
	}
	p.mu.Unlock()
	for _, s := range streams {
		s.abandon()
	}
}

func (p *Pump) tell(e Event) {
	p.mu.Lock()
	if p.abandoned {
		p.mu.Unlock()
		p.drop(e)
		return
	}
	first := p.queue.head == len(p.queue.events)
	p.queue.push(e)
	p.mu.Unlock()
	if first {
		p.notify()
	}
}

// drop gives back what an event holds that the page does not get.
func (p *Pump) drop(e Event) {
	switch {
	case e.Body != nil:
		e.Body.Release()
	case e.Kind == Data:
		p.pool.Put(e.Data)
	}
}

// waitForRoom returns a channel that is closed when the queue has room, or nil where it has.
func (p *Pump) waitForRoom() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue.bytes < queueBytes || p.abandoned {
		return nil
	}
	room := make(chan struct{})
	p.queue.room = append(p.queue.room, room)
	return room
}

// Stirred tells, once, that events were taken for which readers wait: their goroutines
// are to be run.
func (p *Pump) Stirred() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	stirred := p.queue.stirred
	p.queue.stirred = false
	return stirred
}

// Next returns the next event; its data is valid until the next call.
func (p *Pump) Next() (Event, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lent != nil {
		p.pool.Put(p.lent)
		p.lent = nil
	}
	e, ok := p.queue.pop()
	switch e.Kind {
	case Data:
		p.lent = e.Data
	case Notice:
		p.tookNoticeLocked()
	}
	return e, ok
}

func (p *Pump) remove(id uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams, id)
}

// Close waits until every stream has ended, which the end of the client brings about.
func (p *Pump) Close() { p.tasks.Wait() }
