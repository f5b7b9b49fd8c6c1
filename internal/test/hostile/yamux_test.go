package hostile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// Types and flags of yamux frames (its spec.md, "Framing").
const (
	typeData, typeWindow, typePing, typeGoAway = 0, 1, 2, 3
	flagSYN, flagACK, flagFIN, flagRST         = 1, 2, 4, 8
)

// window is what a stream may send before the server has granted more, and taken what it may
// send at most when the server's ACK has granted more.
const (
	window = 256 << 10
	taken  = window + 1<<20
)

func frame(kind byte, flags uint16, stream, length uint32, body ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, kind}, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint32(b, length)
	return append(b, body...)
}

func syn(stream uint32) []byte { return frame(typeWindow, flagSYN, stream, 0) }

func payload(stream uint32, b []byte) []byte {
	return frame(typeData, 0, stream, uint32(len(b)), b...)
}

// open is a stream with its request.
func open(stream uint32, q wire.Request) []byte {
	body, err := q.Append(nil)
	if err != nil {
		panic(err) // of a request of these tests
	}
	return append(syn(stream), payload(stream, body)...)
}

func to(target netip.AddrPort) wire.Request {
	return wire.Request{Kind: wire.TCP, Host: wire.ParseHost(target.Addr().String()), Port: target.Port()}
}

// control opens the control stream.
func control() []byte { return open(1, wire.Request{Kind: wire.Control}) }

// telling is what control messages are in the control stream.
func telling(messages ...wire.ControlMessage) []byte {
	var b []byte
	for _, m := range messages {
		b = m.Append(b)
	}
	return payload(1, b)
}

// muxViolations break yamux's rules, or the control stream's: each ends its session with 4017.
func muxViolations(t *testing.T, p *process, where targets, counts *table) {
	type test struct {
		row   *row
		bytes []byte
	}
	var tests []test
	add := func(row *row, b ...[]byte) { tests = append(tests, test{row, slices.Concat(b...)}) }

	versions := counts.row("yamux", "bad version")
	types := counts.row("yamux", "bad type")
	for n := range 256 {
		if n > 0 {
			bad := syn(3)
			bad[0] = byte(n)
			add(versions, bad)
		}
		if n > typeGoAway {
			add(types, frame(byte(n), 0, 0, 0))
		}
	}
	ids := counts.row("yamux", "stream opened twice, with an even number or 0")
	for n := range uint32(50) {
		add(ids, syn(2*n+3), syn(2*n+3))
		add(ids, syn(2*n))
		add(ids, frame(typeData, flagSYN, 2*n, 1, 0))
	}
	windows := counts.row("yamux", "window overflow: at once, bit by bit, before the request, claimed only")
	filled := bytes.Repeat(payload(3, make([]byte, 32<<10)), taken>>15+1)
	add(windows, open(3, to(where.deaf)), frame(typeData, 0, 3, 1<<32-1), make([]byte, 100))
	add(windows, syn(3), frame(typeData, 0, 3, taken+1))
	add(windows, frame(typeData, flagSYN, 3, taken+1))
	add(windows, syn(3), filled)
	add(windows, control(), frame(typeData, 0, 1, 1<<31))
	away := counts.row("yamux", "GoAway with an error or an unknown reason")
	for _, reason := range []uint32{1, 2, 3, 77, 1<<32 - 1} {
		add(away, frame(typeGoAway, 0, 0, reason))
	}
	pings := counts.row("yamux", "ping flood of 5000")
	add(pings, bytes.Repeat(frame(typePing, flagSYN, 0, 1), 5000))
	streams := counts.row("control", "control stream ended, with empty, long or short messages")
	add(streams, control(), frame(typeWindow, flagFIN, 1, 0))
	add(streams, control(), payload(1, []byte{0, 0}))
	add(streams, control(), payload(1, []byte{0xff, 0xff, 1}))
	for kind := byte(1); kind <= 5; kind++ {
		add(streams, control(), payload(1, []byte{0, 1, kind}))
	}
	each(t, len(tests), func(t testing.TB, i int) {
		e := p.greet(t)
		sent := make(chan struct{})
		go func() { // the server may cut it before it is all sent
			defer close(sent)
			_ = e.bytes(tests[i].bytes)
		}()
		code := e.follow()
		<-sent
		if e.last != wire.Protocol || code != 4017 {
			t.Errorf("%s: %.60x: CLOSE %v and %d, want 4017", tests[i].row.input, tests[i].bytes, e.last, code)
		}
		tries := 1
		if tests[i].row == pings {
			tries = 5000
		}
		counts.add(tests[i].row, tries, closed(code))
	})
}

// tolerated is what concerns streams that are not there, or lies about those that are:
// the session goes on.
func tolerated(t *testing.T, p *process, where targets, counts *table) {
	n := scaled(10_000, 200_000)
	unknown := counts.row("yamux", "data, windows, FIN, RST and pongs for unknown streams, windows of 4 GiB")
	messages := counts.row("control", "RESET, RESET-DONE and STOP of unknown streams, unknown types")
	lies := counts.row("control", "RESET with a size that is a lie, of a stream with a connection")
	stops := counts.row("control", "STOP flood of a stream with a connection")
	second := counts.row("control", "second control stream, requests that do not decode")
	random := rand.New(rand.NewPCG(8, 8))
	for _, test := range []struct {
		row  *row
		n    int
		some func(i int) []byte
	}{
		{unknown, n, func(int) []byte {
			id := 1001 + random.Uint32()%1_000_000*2
			return [][]byte{payload(id, make([]byte, 20)), frame(typeWindow, 0, id, 1<<32-1), frame(typeData, flagFIN, id, 0), frame(typeWindow, flagRST, id, 0), frame(typePing, flagACK, 0, id), frame(typeWindow, 0, 3, 1<<32-1)}[random.IntN(6)]
		}},
		{messages, n, func(i int) []byte {
			id := 1001 + random.Uint32()
			if i%4 == 0 {
				return payload(1, append([]byte{0, 30, byte(6 + random.IntN(250))}, make([]byte, 29)...))
			}
			return telling([]wire.ControlMessage{wire.StreamReset{ID: id, Size: random.Uint64(), Code: wire.Code(random.Uint32()), Text: "a lie"}, wire.StreamResetDone{ID: id}, wire.StreamStop{ID: id, Code: wire.Code(random.Uint32())}}[random.IntN(3)])
		}},
		{lies, scaled(100, 10_000), func(i int) []byte {
			id := uint32(5 + 2*i)
			return slices.Concat(open(id, to(where.echo)), payload(id, []byte("hello")), telling(wire.StreamReset{ID: id, Code: wire.Reset, Size: []uint64{0, 4, 6, 1 << 40, 1<<64 - 1}[i%5]}), frame(typeWindow, flagFIN, id, 0))
		}},
		{stops, n, func(int) []byte { return telling(wire.StreamStop{ID: 3, Code: wire.Aborted}) }},
		{second, scaled(500, 10_000), func(i int) []byte {
			id := uint32(5 + 2*i)
			if i%2 == 0 {
				return append(open(id, wire.Request{Kind: wire.Control}), frame(typeWindow, flagFIN, id, 0)...)
			}
			body := make([]byte, 1+random.IntN(40))
			for j := range body {
				body[j] = byte(random.Uint32())
			}
			return slices.Concat(syn(id), payload(id, append([]byte{0, byte(len(body))}, body...)), frame(typeWindow, flagFIN, id, 0))
		}},
	} {
		e := p.greet(t)
		pace := e.paced(5)
		opens := test.row == lies || test.row == second
		_ = e.bytes(append(control(), open(3, to(where.echo))...)) // as below
		var b []byte
		for i := range test.n {
			if opens && !pace.enter() {
				break // told below
			}
			if b = append(b, test.some(i)...); opens || len(b) > 64<<10 || i == test.n-1 {
				if err := e.bytes(b); err != nil {
					t.Errorf("%s: %v", test.row.input, err)
					break
				}
				b = b[:0]
			}
		}
		if opens {
			pace.settle()
		}
		_ = e.message(wire.Close{Code: wire.OK}.Append(nil))
		<-pace.gone
		if pace.code != 1000 {
			t.Errorf("after %s: CLOSE %v and %d, want 1000", test.row.input, e.last, pace.code)
		}
		counts.add(test.row, test.n, fmt.Sprintf("ignored or answered, %d", pace.code))
	}
}

// randomMux are bytes that look like yamux in a session.
func randomMux(t *testing.T, p *process, where targets, counts *table) {
	row := counts.row("yamux", "sessions of 20 mutated frames")
	each(t, scaled(300, 20_000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(9, uint64(i)))
		b := control()
		for range 20 {
			some := [][]byte{syn(3), open(5, to(where.echo)), payload(5, []byte("data")), frame(typePing, flagSYN, 0, 1), frame(typeWindow, flagFIN, 5, 0), telling(wire.StreamReset{ID: 5, Size: 4}), telling(wire.StreamStop{ID: 5})}[random.IntN(7)]
			if random.IntN(4) == 0 {
				some = mutate(random, some)
			}
			b = append(b, some...)
		}
		e := p.greet(t)
		_ = e.bytes(b)
		code := e.bye()
		if code != 1000 && code != 4017 {
			t.Errorf("%x: %d, want 1000 or 4017", b, code)
		}
		counts.add(row, 1, closed(code))
	})
}
