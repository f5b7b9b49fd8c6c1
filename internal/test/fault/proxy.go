package fault

import (
	"cmp"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Kind is a way to lose a connection.
type Kind int

// The ways.
const (
	Reset    Kind = iota // RST to both ends
	Hole                 // nothing passes any more, and neither end is told
	HalfOpen             // RST to the server; the client is not told
	MidFrame             // FIN to both ends after half of what comes next, in the middle of a WebSocket frame
	HalfShut             // RST to the client; the server is not told
	End                  // FIN to both ends
	Kinds                // how many there are
)

// String returns the kind's name.
func (k Kind) String() string {
	return [...]string{"reset", "black hole", "half-open", "mid-frame", "half-open the other way", "end"}[k]
}

// Conduct is how a proxy treats the connections that come. The zero value passes
// everything on at once.
type Conduct struct {
	Delay   time.Duration // each way
	Piece   int           // bytes that are written at once, at most; 0: no limit
	Message uint64        // bytes that a WebSocket message may have: a longer one ends the connection; 0: no limit
	Answer  string        // sent in place of the server's answer, then FIN
	Swallow bool          // requests are taken and nothing is ever answered
	Late    time.Duration // the client's bytes behind the upgrade wait for so long
	Hold    Hold          // what of the server's bytes waits until the server ends the connection
	Idle    time.Duration // a connection on which nothing passes for so long is reset; 0: never
}

// Hold is what a proxy holds back of the server's bytes until the server ends the connection.
type Hold int

// The holds.
const (
	HoldNothing    Hold = iota
	HoldAnswers         // all behind the upgrade
	HoldEverything      // the answer to the upgrade, too
)

// Proxy is a TCP proxy on loopback. All methods may be called at any time. It must be closed.
type Proxy struct {
	upstream string
	listener net.Listener
	tasks    sync.WaitGroup
	moved    atomic.Int64
	idled    atomic.Int64

	mu      sync.Mutex
	conduct Conduct
	lines   map[*line]struct{}
	taken   int
	closed  bool
}

// Listen starts a proxy to an address.
func Listen(upstream string) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{upstream: upstream, listener: listener, lines: make(map[*line]struct{})}
	p.tasks.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set changes the conduct towards connections that come from now on.
func (p *Proxy) Set(c Conduct) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conduct = c
}

// SetUpstream changes where connections go that come from now on.
func (p *Proxy) SetUpstream(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = address
}

// Taken is how many connections have come so far.
func (p *Proxy) Taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken
}

// Moved is how many bytes have passed both ways.
func (p *Proxy) Moved() int64 { return p.moved.Load() }

// Idled is how many connections were reset because nothing passed.
func (p *Proxy) Idled() int64 { return p.idled.Load() }

// Cut loses all present connections.
func (p *Proxy) Cut(kind Kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.lines {
		l.cut(kind)
	}
}

// Close cuts everything and waits until nothing is left.
func (p *Proxy) Close() {
	_ = p.listener.Close() // a listener that cannot be closed is closed
	p.mu.Lock()
	p.closed = true
	for l := range p.lines {
		l.end(true)
	}
	p.mu.Unlock()
	p.tasks.Wait()
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.tasks.Go(func() { p.serve(conn.(*net.TCPConn)) })
	}
}

// serve passes one connection on until both ways have ended.
func (p *Proxy) serve(client *net.TCPConn) {
	l := &line{proxy: p, client: client, over: make(chan struct{})}
	p.mu.Lock()
	p.taken++
	conduct, upstream, closed := p.conduct, p.upstream, p.closed
	if !closed {
		p.lines[l] = struct{}{}
	}
	p.mu.Unlock()
	if closed {
		_ = client.Close() // nothing of it is needed
		return
	}
	defer func() {
		p.mu.Lock()
		delete(p.lines, l)
		p.mu.Unlock()
		l.end(false)
	}()
	if conduct.Answer != "" || conduct.Swallow {
		l.refuse(conduct.Answer)
		return
	}
	conn, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	if !l.connect(conn.(*net.TCPConn)) {
		return
	}
	if conduct.Idle > 0 {
		l.idle = time.AfterFunc(conduct.Idle, func() {
			p.idled.Add(1)
			l.end(true)
		})
		defer l.idle.Stop()
	}
	l.conduct = conduct
	var both sync.WaitGroup
	both.Go(func() { l.pass(l.client, l.server, false) })
	both.Go(func() { l.pass(l.server, l.client, true) })
	both.Wait()
}

// line is one connection through the proxy.
type line struct {
	proxy   *Proxy
	conduct Conduct
	idle    *time.Timer
	client  *net.TCPConn

	silent   atomic.Bool // nothing passes any more
	midFrame atomic.Bool // the next piece is the last

	mu     sync.Mutex
	server *net.TCPConn // nil before it is there
	ended  bool
	over   chan struct{} // closed when the line has ended
}

func (l *line) connect(server *net.TCPConn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		_ = server.Close() // it is not wanted any more
		return false
	}
	l.server = server
	return true
}

func (l *line) cut(kind Kind) {
	switch kind {
	case Reset:
		l.end(true)
	case Hole:
		l.silent.Store(true)
	case HalfOpen:
		l.silent.Store(true)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.server != nil {
			abort(l.server)
		}
	case HalfShut:
		l.silent.Store(true)
		abort(l.client)
	case MidFrame:
		l.midFrame.Store(true)
	case End:
		l.end(false)
	}
}

func abort(conn *net.TCPConn) {
	_ = conn.SetLinger(0) // fails only where there is nothing left to reset
	_ = conn.Close()      // as above
}

// end closes both connections, by RST or by FIN.
func (l *line) end(reset bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return
	}
	l.ended = true
	close(l.over)
	for _, conn := range []*net.TCPConn{l.client, l.server} {
		switch {
		case conn == nil:
		case reset:
			abort(conn)
		default:
			_ = conn.Close() // the other end is told, and that is all
		}
	}
}

// refuse takes the request and answers in the server's place; an empty answer is none,
// for as long as the client likes.
func (l *line) refuse(answer string) {
	var request frames
	b := make([]byte, 4<<10)
	for !request.open {
		n, err := l.client.Read(b)
		if err != nil {
			return
		}
		request.follow(b[:n])
	}
	if answer != "" {
		_, _ = l.client.Write([]byte(answer)) // a client that has gone needs no answer
		l.end(false)
		return
	}
	for {
		if _, err := l.client.Read(b); err != nil {
			return
		}
	}
}

// chunk is what was read at once.
type chunk struct {
	bytes []byte
	due   time.Time
}

// delayed is how many chunks may be under way in a line with a delay.
const delayed = 256

// pass copies one direction until it ends.
func (l *line) pass(from, to *net.TCPConn, answers bool) {
	d := direction{line: l, to: to, answers: answers}
	if l.conduct.Delay == 0 {
		b := make([]byte, 64<<10)
		for {
			n, err := from.Read(b)
			if !d.write(b[:n]) {
				return
			}
			if err != nil {
				d.finish()
				return
			}
		}
	}
	queue := make(chan chunk, delayed)
	var writer sync.WaitGroup
	writer.Go(func() {
		for c := range queue {
			select {
			case <-time.After(time.Until(c.due)):
			case <-l.over:
			}
			if !d.write(c.bytes) {
				l.end(true) // so that the reader ends as well
			}
		}
		d.finish()
	})
	for {
		b := make([]byte, 16<<10)
		n, err := from.Read(b)
		queue <- chunk{b[:n], time.Now().Add(l.conduct.Delay)}
		if err != nil {
			break
		}
	}
	close(queue)
	writer.Wait()
}

// direction is one way of a line.
type direction struct {
	line    *line
	to      *net.TCPConn
	answers bool // from the server to the client
	frames  frames
	waited  bool   // for Conduct.Late
	held    []byte // for Conduct.Hold
}

// holds reports whether the next byte is held back.
func (d *direction) holds() bool {
	switch d.line.conduct.Hold {
	case HoldAnswers:
		return d.answers && d.frames.open
	case HoldEverything:
		return d.answers
	default:
		return false
	}
}

// late waits for Conduct.Late, once.
func (d *direction) late() {
	if d.waited || d.answers || d.line.conduct.Late == 0 || !d.frames.open {
		return
	}
	d.waited = true
	select {
	case <-time.After(d.line.conduct.Late):
	case <-d.line.over:
	}
}

// finish passes an end on. A line that is silent says nothing.
func (d *direction) finish() {
	if d.line.silent.Load() {
		<-d.line.over
		return
	}
	_, _ = d.to.Write(d.held) // the other end may have gone
	_ = d.to.CloseWrite()     // as above
}

// write passes bytes on; it returns false when the line has ended.
func (d *direction) write(b []byte) bool {
	l := d.line
	for len(b) > 0 {
		if l.silent.Load() {
			<-l.over // what is read after a cut is lost; nothing more is read
			return false
		}
		d.late()
		if d.holds() {
			d.held = append(d.held, b...)
			return true
		}
		n := min(len(b), cmp.Or(l.conduct.Piece, len(b)))
		if l.conduct.Hold != HoldNothing && !d.frames.open {
			n = 1 // the header alone passes
		}
		last := l.midFrame.Load() && d.frames.open
		if last {
			n = max(1, n/2)
		}
		piece := b[:n]
		d.frames.follow(piece)
		if most := l.conduct.Message; most > 0 && d.frames.longest > most {
			l.end(false)
			return false
		}
		if _, err := d.to.Write(piece); err != nil {
			l.endUnlessSilent()
			return false
		}
		l.proxy.moved.Add(int64(n))
		if l.idle != nil {
			l.idle.Reset(l.conduct.Idle)
		}
		if last && d.frames.inside() {
			l.end(false)
			return false
		}
		b = b[n:]
	}
	return true
}

// endUnlessSilent ends the line of a direction that cannot go on.
func (l *line) endUnlessSilent() {
	if l.silent.Load() {
		<-l.over
		return
	}
	l.end(true)
}
