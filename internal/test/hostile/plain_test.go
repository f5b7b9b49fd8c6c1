package hostile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// plainPeer is a client of plain yamux by hand: its messages are bytes of yamux.
type plainPeer struct {
	*peer
	frames endings
}

func (p *process) greetPlain(t testing.TB) *plainPeer {
	t.Helper()
	request := strings.NewReplacer("v1/connect", "v1/yamux", wire.Subprotocol, "yamux").Replace(upgrade)
	return &plainPeer{peer: p.dialWith(t, request), frames: endings{ended: func(uint32) {}}}
}

// bytes sends bytes in messages of any length.
func (e *plainPeer) bytes(b []byte) error {
	for piece := range slices.Chunk(b, 100_000) {
		if err := e.message(piece); err != nil {
			return err
		}
	}
	return nil
}

// follow reads until the connection ends, answers pings, and returns the close code.
func (e *plainPeer) follow() (code int) {
	e.frames.pinged = func(opaque uint32) {
		_ = e.bytes(frame(typePing, flagACK, 0, opaque)) // what fails is found by the reader
	}
	for {
		message, code, err := e.next()
		if err != nil {
			_ = e.conn.Close() // the end either way
			return code
		}
		e.frames.follow(message)
	}
}

// bye closes the WebSocket in the clean way, and follows it.
func (e *plainPeer) bye() (code int) {
	e.leave()
	return e.follow()
}

// plainViolations break yamux's rules: each ends its session with 4017.
func plainViolations(t *testing.T, p *process, where targets, counts *table) {
	rules := counts.row("plain", "bad version, type, stream, GoAway; stream opened twice")
	windows := counts.row("plain", "window overflow: at once, bit by bit, before the request, claimed only")
	pings := counts.row("plain", "ping flood of 5000, answers not read")
	filled := bytes.Repeat(payload(3, make([]byte, 32<<10)), taken>>15+1)
	bad := syn(3)
	bad[0] = 1
	tests := []struct {
		row   *row
		bytes []byte
	}{
		{rules, bad},
		{rules, frame(typeGoAway+1, 0, 0, 0)},
		{rules, frame(255, 0, 0, 0)},
		{rules, append(syn(3), syn(3)...)},
		{rules, syn(2)},
		{rules, syn(0)},
		{rules, frame(typeGoAway, 0, 0, 1)},
		{rules, frame(typeGoAway, 0, 0, 1<<32-1)},
		{windows, slices.Concat(open(3, to(where.deaf)), frame(typeData, 0, 3, 1<<32-1), make([]byte, 100))},
		{windows, append(syn(3), frame(typeData, 0, 3, taken+1)...)},
		{windows, frame(typeData, flagSYN, 3, taken+1)},
		{windows, append(syn(3), filled...)},
		{pings, bytes.Repeat(frame(typePing, flagSYN, 0, 1), 5000)},
	}
	each(t, len(tests), func(t testing.TB, i int) {
		e := p.greetPlain(t)
		sent := make(chan struct{})
		go func() { // the server may cut it before it is all sent
			defer close(sent)
			_ = e.bytes(tests[i].bytes)
		}()
		if tests[i].row == pings {
			<-sent // the reader would take the answers meanwhile
		}
		code := e.follow()
		<-sent
		if code != 4017 {
			t.Errorf("%s: %.60x: %d, want 4017", tests[i].row.input, tests[i].bytes, code)
		}
		counts.add(tests[i].row, 1, closed(code))
	})

	row := counts.row("plain", "sessions of 20 mutated frames")
	each(t, scaled(200, 10_000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(10, uint64(i)))
		var b []byte
		for range 20 {
			some := [][]byte{syn(3), open(5, to(where.echo)), payload(5, []byte("data")), frame(typePing, flagSYN, 0, 1), frame(typeWindow, flagFIN, 5, 0), frame(typeWindow, flagRST, 5, 0)}[random.IntN(6)]
			if random.IntN(4) == 0 {
				some = mutate(random, some)
			}
			b = append(b, some...)
		}
		e := p.greetPlain(t)
		_ = e.bytes(b)
		code := e.bye()
		if code != 1000 && code != 4017 {
			t.Errorf("%x: %d, want 1000 or 4017", b, code)
		}
		counts.add(row, 1, closed(code))
	})
}

// plainFloods send without end what is allowed once. The session goes on, or ends with
// 4017.
func plainFloods(t *testing.T, p *process, where targets, counts *table) {
	n := scaled(5_000, 100_000)
	for _, test := range []struct {
		input string
		some  func(id uint32) []byte
	}{
		{"streams opened without a request (SYN flood)", syn},
		{"streams with a request that is denied, never ended", func(id uint32) []byte {
			return open(id, wire.Request{Kind: wire.TCP, Host: wire.ParseHost("169.254.169.254"), Port: 80})
		}},
		{"streams opened to a target and reset", func(id uint32) []byte {
			return append(open(id, to(where.echo)), frame(typeWindow, flagRST, id, 0)...)
		}},
		{"streams opened to a target, used and ended", func(id uint32) []byte {
			return slices.Concat(open(id, to(where.echo)), payload(id, []byte("hello")), frame(typeWindow, flagFIN, id, 0))
		}},
		{"data, windows, FIN, RST and pongs for unknown streams", func(id uint32) []byte {
			return slices.Concat(payload(id, make([]byte, 20)), frame(typeWindow, 0, id, 1<<32-1), frame(typeData, flagFIN, id, 0), frame(typeWindow, flagRST, id, 0), frame(typePing, flagACK, 0, id))
		}},
		{"pings", func(id uint32) []byte { return frame(typePing, flagSYN, 0, id) }},
	} {
		row := counts.row("plain", test.input)
		e := p.greetPlain(t)
		_ = e.conn.SetDeadline(time.Now().Add(10 * patience)) // never fails on an open socket
		code := make(chan int, 1)
		go func() { code <- e.follow() }()
		var b []byte
		for i := range uint32(n) {
			if b = append(b, test.some(1+2*i)...); len(b) > 64<<10 || i == uint32(n)-1 {
				if e.bytes(b) != nil {
					break // the code tells why
				}
				b = b[:0]
			}
		}
		_ = e.raw(wsFrame(final|opClose, binary.BigEndian.AppendUint16(nil, 1000))) // as above
		got := <-code
		if got != 1000 && got != 4017 {
			t.Errorf("after %s: %d, want 1000 or 4017", test.input, got)
		}
		counts.add(row, n, closed(got))
	}

	// A message of any length holds no memory, and a frame for an unknown stream none.
	row := counts.row("plain", "a message that claims 2^62 bytes, 16 MiB of it for an unknown stream; a byte a message")
	e := p.greetPlain(t)
	claimed := binary.BigEndian.AppendUint64([]byte{final | opBinary, 0x80 | 127}, 1<<62)
	_ = e.raw(append(claimed, 0, 0, 0, 0))
	_ = e.raw(frame(typeData, 0, 9, 1<<32-1))
	for range 16 {
		_ = e.raw(make([]byte, 1<<20)) // as above
	}
	e.halfClose()
	counts.add(row, 1, closed(e.follow()))
	e = p.greetPlain(t)
	answered := make(chan struct{})
	e.frames.ended = func(id uint32) { close(answered) }
	code := make(chan int, 1)
	go func() { code <- e.follow() }()
	for _, one := range append(open(1, to(where.echo)), frame(typeWindow, flagFIN, 1, 0)...) {
		_ = e.bytes([]byte{one}) // as above
	}
	select {
	case <-answered:
	case <-time.After(patience):
		t.Error("a request in messages of a byte is not answered")
	}
	_ = e.conn.Close() // it is over
	counts.add(row, 1, closed(<-code))

	// Silence ends a session, and what it has opened.
	silent := counts.row("plain", "upgraded, nothing sent, no ping answered")
	each(t, 8, func(t testing.TB, _ int) {
		e := p.greetPlain(t)
		began := time.Now()
		for {
			if _, _, err := e.next(); err != nil {
				break
			}
		}
		if took := time.Since(began); took < 2*keepalive-keepalive/2 {
			t.Errorf("a silent session ended after %s, want %s", took, 2*keepalive)
		}
		counts.add(silent, 1, closed(lost))
		_ = e.conn.Close() // it has ended
	})
}

// plainUnread opens streams to a target that sends without end, and reads nothing: memory
// is bounded by what a session gathers for its client.
func plainUnread(t *testing.T, p *process, where targets, counts *table) {
	n := scaled(64, 1024)
	row := counts.row("plain", "streams of a client that grants 4 GiB to each and reads nothing")
	before := p.Measure(t)
	e := p.greetPlain(t)
	var sent atomic.Int64
	var writes sync.WaitGroup
	writes.Go(func() {
		_ = e.conn.SetWriteDeadline(time.Now().Add(patience)) // never fails on an open socket
		for i := range uint32(n) {
			id := 1 + 2*i
			if e.bytes(slices.Concat(open(id, to(where.echo)), frame(typeWindow, 0, id, 1<<31))) != nil {
				return
			}
		}
		for i := 0; e.bytes(payload(1+2*uint32(i%n), make([]byte, 1024))) == nil && i < 200*n; i++ { // the echo sends it back
			sent.Add(1024)
		}
	})
	writes.Wait()
	held := p.Measure(t)
	// docs/SECURITY.md: for each stream a buffer of the relay, and what waits for the
	// window.
	if ceiling := before.Heap + int64(n)*(window+2*64<<10) + 32<<20; !product.Race && held.Heap > ceiling {
		t.Errorf("the heap has %d MiB, want %d at most", held.Heap>>20, ceiling>>20)
	}
	t.Logf("%d streams, %d KiB sent and none of the answers read: %s", n, sent.Load()>>10, held)
	code := e.bye() // reads what has piled up
	if code != lost && code != 1000 {
		t.Errorf("%d, want none or 1000", code)
	}
	counts.add(row, n, fmt.Sprintf("kept, %s", closed(code)))
}
