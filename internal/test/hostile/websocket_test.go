package hostile_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// frames sends every first byte of a frame with masks, without, and with payloads of
// control and other lengths: each wrong one is answered with the code that RFC 6455 has
// for it.
func frames(t *testing.T, p *process, counts *table) {
	rows := map[string]*row{}
	for _, name := range []string{"unmasked", "reserved bits", "unknown opcode", "fragmented or long control frame", "continuation of nothing", "text message", "first message is no HELLO", "close"} {
		rows[name] = counts.row("WebSocket", name)
	}
	sizes := []int{0, 1, 125, 126}
	each(t, 256*len(sizes)*2, func(t testing.TB, i int) {
		first, size, masked := byte(i), sizes[i>>8%len(sizes)], i>>8/len(sizes) == 0
		op, fin := first&0xf, first&final != 0
		b := wsFrame(first, make([]byte, size))
		if !masked {
			b = append([]byte{first, byte(min(size, 126))}, b[2:]...)
		}
		name, want := "", 1002
		switch {
		case first&0x70 != 0:
			name = "reserved bits"
		case !masked: // RFC 6455, 5.1, demands an end and only allows a code
			name, want = "unmasked", lost
		case op > 2 && op < 8 || op > 10:
			name = "unknown opcode"
		case op >= 8 && (!fin || size > 125):
			name = "fragmented or long control frame"
		case op == 0:
			name = "continuation of nothing"
		case op == opText:
			name, want = "text message", 1003
		case op == opBinary && fin:
			name, want = "first message is no HELLO", 4017
		case op == opClose && size == 1:
			name = "close"
		default:
			return // nothing is wrong yet
		}
		e := p.dial(t)
		_ = e.raw(b) // what comes back counts
		e.halfClose()
		code := e.follow()
		if code != want {
			t.Errorf("%s: frame %.8x with %d bytes: %d, want %d", name, b, size, code, want)
		}
		counts.add(rows[name], 1, closed(code))
	})

	row := rows["close"]
	for _, code := range []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535} {
		e := p.greet(t)
		_ = e.raw(wsFrame(final|opClose, []byte{byte(code >> 8), byte(code)}))
		got := e.follow()
		if got != 1002 {
			t.Errorf("close with the invalid code %d: %d, want 1002", code, got)
		}
		counts.add(row, 1, closed(got))
	}
}

// messages are wrong as a whole: too long in one frame or many, of two at once, of text
// in a session.
func messages(t *testing.T, p *process, counts *table) {
	oversized := counts.row("WebSocket", "message over 1 MiB: in one frame, claimed only, in fragments")
	order := counts.row("WebSocket", "a message inside another, text in a session")
	long := func(n uint64) []byte {
		return []byte{final | opBinary, 0x80 | 127, byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0, 0, 0, 0}
	}
	part := append(wsFrame(opBinary, nil), bytes.Repeat(wsFrame(0, make([]byte, 64<<10)), 17)...)
	for _, test := range []struct {
		row  *row
		b    []byte
		want []int
	}{
		{oversized, wsFrame(final|opBinary, make([]byte, wire.MaxMessage+1)), []int{1009}},
		{oversized, append(long(1<<40), make([]byte, wire.MaxMessage+1)...), []int{1009}},
		{oversized, append(long(1<<63-1), make([]byte, wire.MaxMessage+1)...), []int{1009}},
		{oversized, part, []int{1009}},
		{order, append(long(1<<63), make([]byte, 100)...), []int{1002, lost}}, // the length is negative
		{order, append(wsFrame(opBinary, []byte{1}), wsFrame(final|opBinary, []byte{1})...), []int{1002}},
		{order, append(wsFrame(opBinary, []byte{1}), wsFrame(final|opText, []byte{1})...), []int{1002}},
		{order, wsFrame(final|opText, []byte("hello")), []int{1003}},
		{order, wsFrame(opText, []byte("hel")), []int{1003}},
	} {
		for _, begin := range []func(testing.TB) *peer{p.dial, p.greet} {
			e := begin(t)
			sent := make(chan struct{})
			go func() { // the server may cut it before it is all sent
				defer close(sent)
				_ = e.raw(test.b)
			}()
			code := e.follow()
			<-sent
			if !slices.Contains(test.want, code) {
				t.Errorf("%.14x: %d, want %d", test.b, code, test.want)
			}
			counts.add(test.row, 1, closed(code))
		}
	}
}

// randomFrames are bytes without a plan behind the upgrade and behind HELLO.
func randomFrames(t *testing.T, p *process, counts *table) {
	row := counts.row("WebSocket", "random bytes after the upgrade or after HELLO")
	known := []int{lost, 1000, 1002, 1003, 1005, 1009, 4007, 4016, 4017, 4023} // 4023 answers a CLOSE with an unknown code
	each(t, scaled(400, 20_000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(6, uint64(i)))
		e := p.dial(t)
		if i%2 == 0 {
			_ = e.message(wire.Hello{Version: wire.Version}.Append(nil))
		}
		b := make([]byte, 1+random.IntN(300))
		for j := range b {
			b[j] = byte(random.Uint32())
		}
		if i%3 == 0 {
			b = wsFrame(final|opBinary, b) // wrong inside only
		}
		_ = e.raw(b)
		e.halfClose()
		code := e.follow()
		if !slices.Contains(known, code) {
			t.Errorf("%x: close code %d", b, code)
		}
		counts.add(row, 1, closed(code))
	})
}

// floods of WebSocket control frames are answered, and cost their sender only.
func controlFloods(t *testing.T, p *process, counts *table) {
	row := counts.row("WebSocket", "ping and pong flood in a session")
	n := scaled(20_000, 1_000_000)
	e := p.greet(t)
	code := make(chan int, 1)
	go func() { code <- e.follow() }()
	flood := bytes.Repeat(append(wsFrame(final|opPing, []byte("12345678")), wsFrame(final|0xa, nil)...), 1000)
	for range n / 2000 {
		if e.raw(flood) != nil {
			break // the code tells why
		}
	}
	_ = e.message(wire.Close{Code: wire.OK}.Append(nil))
	got := <-code
	if got != 1000 && got != lost { // pings of WebSockets are no sign of life: a long flood of them is a dead line
		t.Errorf("after a ping flood: %d, want 1000", got)
	}
	counts.add(row, n, "answered, "+closed(got))
}
