package hostile_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// Streams are opened as fast as the rules allow: over some sessions, and in each no more
// at once than are taken without waiting.
const (
	pacedSessions = 8
	pacedAtOnce   = 200
)

// endings finds in the bytes of yamux that the server sends the streams that it ends, and
// what it grants.
type endings struct {
	header  [12]byte
	have    int
	body    uint32
	ended   func(id uint32)
	granted func(id, n uint32)  // nil: not asked for
	pinged  func(opaque uint32) // likewise
}

func (f *endings) follow(b []byte) {
	for len(b) > 0 {
		if f.body > 0 {
			n := min(uint32(len(b)), f.body)
			f.body -= n
			b = b[n:]
			continue
		}
		n := copy(f.header[f.have:], b)
		f.have += n
		b = b[n:]
		if f.have < len(f.header) {
			return
		}
		f.have = 0
		if f.header[1] == typeData {
			f.body = binary.BigEndian.Uint32(f.header[8:])
		}
		if f.header[1] <= typeWindow && binary.BigEndian.Uint16(f.header[2:])&(flagFIN|flagRST) != 0 {
			f.ended(binary.BigEndian.Uint32(f.header[4:]))
		}
		if f.header[1] == typePing && binary.BigEndian.Uint16(f.header[2:])&flagSYN != 0 && f.pinged != nil {
			f.pinged(binary.BigEndian.Uint32(f.header[8:]))
		}
		if n := binary.BigEndian.Uint32(f.header[8:]); f.header[1] == typeWindow && n > 0 && f.granted != nil {
			f.granted(binary.BigEndian.Uint32(f.header[4:]), n)
		}
	}
}

// pace lets no more streams of a peer be there at once than pacedAtOnce.
type pace struct {
	room  chan struct{}
	gone  chan struct{} // closed when the connection has ended
	code  int           // its close code, once gone is closed
	ended atomic.Int64  // streams that the server has ended
}

// paced follows the peer from now on, and counts streams from the given number on.
func (e *peer) paced(first uint32) *pace {
	p := &pace{room: make(chan struct{}, pacedAtOnce), gone: make(chan struct{})}
	e.ending = &endings{ended: func(id uint32) {
		if id >= first {
			p.ended.Add(1)
			<-p.room
		}
	}}
	go func() { // ends with the connection
		defer close(p.gone)
		p.code = e.follow()
	}()
	return p
}

// enter waits for room for one more; it returns false when the connection has ended.
func (p *pace) enter() bool {
	select {
	case p.room <- struct{}{}:
		return true
	case <-p.gone:
		return false
	}
}

// settle waits until every stream has ended.
func (p *pace) settle() {
	for range pacedAtOnce {
		if !p.enter() {
			return
		}
	}
}

// paced opens 100 000 streams of each kind (in the soak) and ends each; the server must
// end each as well.
func paced(t *testing.T, p *process, where targets, counts *table) {
	n := scaled(8_000, 100_000)
	fin := func(id uint32) []byte { return frame(typeWindow, flagFIN, id, 0) }
	for _, test := range []struct {
		input string
		some  func(id uint32) []byte
	}{
		{"streams opened without a request and ended, 200 at once in each of 8 sessions", func(id uint32) []byte { return append(syn(id), fin(id)...) }},
		{"the same with a request that is denied", func(id uint32) []byte {
			return append(open(id, wire.Request{Kind: wire.TCP, Host: wire.ParseHost("169.254.169.254"), Port: 80}), fin(id)...)
		}},
		{"the same to a target, and reset by RESET", func(id uint32) []byte {
			return slices.Concat(open(id, to(where.echo)), payload(id, []byte("hello")), telling(wire.StreamReset{ID: id, Code: wire.Reset, Size: 5}), fin(id))
		}},
		{"the same to a target, used and ended", func(id uint32) []byte {
			return slices.Concat(open(id, to(where.echo)), payload(id, []byte("hello")), fin(id))
		}},
	} {
		row := counts.row("yamux", test.input)
		var ended atomic.Int64
		began := time.Now()
		each(t, pacedSessions, func(t testing.TB, _ int) {
			e := p.greet(t)
			_ = e.conn.SetDeadline(time.Now().Add(10 * patience)) // never fails on an open socket
			pace := e.paced(3)
			_ = e.bytes(control()) // as below
			for i := range uint32(n / pacedSessions) {
				if !pace.enter() || e.bytes(test.some(3+2*i)) != nil {
					break // the code tells why
				}
			}
			pace.settle()
			_ = e.message(wire.Close{Code: wire.OK}.Append(nil)) // as above
			<-pace.gone
			if pace.code != 1000 {
				t.Errorf("%s: CLOSE %v and %d, want 1000", test.input, e.last, pace.code)
			}
			ended.Add(pace.ended.Load())
			counts.add(row, n/pacedSessions, fmt.Sprintf("each ended, %s", closed(pace.code)))
		})
		if got := int(ended.Load()); got != n/pacedSessions*pacedSessions {
			t.Errorf("%s: %d streams were ended by the server, want %d", test.input, got, n)
		}
		t.Logf("%s: %d in %s", test.input, n, time.Since(began).Round(time.Millisecond))
	}
}
