package hostile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// hello is the first message with options in hex or not.
func hello(options ...[]byte) []byte {
	b := []byte("\x01smux\x00\x01\x00\x00\x00\x00")
	for _, o := range options {
		b = append(b, o...)
	}
	return b
}

func option(number uint16, value []byte) []byte {
	b := binary.BigEndian.AppendUint16(nil, number)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(value))), value...)
}

// greetings are wrong first messages. The CLOSE message and the close code say the same.
func greetings(t *testing.T, p *process, counts *table) {
	row := counts.row("link", "HELLO: wrong magic, version, options, lengths, resumes")
	type test struct {
		message []byte
		want    wire.Code
	}
	tests := []test{
		{nil, wire.Protocol},
		{[]byte("\x01smuy\x00\x01\x00\x00\x00\x00"), wire.Protocol},
		{[]byte("\x01smux\x00\x00\x00\x00\x00\x00"), wire.UnsupportedVersion},
		{[]byte("\x01smux\x00\x02\x00\x00\x00\x00"), wire.UnsupportedVersion},
		{[]byte("\x01smux\xff\xff\x00\x00\x00\x00"), wire.UnsupportedVersion},
		{hello(option(99, nil)), wire.UnsupportedOption},
		{hello(option(65535, make([]byte, 16000))), wire.UnsupportedOption},
		{hello(option(1, []byte("a")), option(1, []byte("a"))), wire.Protocol},
		{hello(option(1, nil)), wire.Protocol},
		{hello(option(1, make([]byte, 8193))), wire.Protocol},
		{hello(option(3, []byte(strings.Repeat("a", 129)))), wire.Protocol},
		{hello(option(2, make([]byte, 55))), wire.Protocol},
		{hello(option(2, make([]byte, 56))), wire.UnknownSession},
		{hello(option(2, bytes.Repeat([]byte{0xff}, 56))), wire.UnknownSession},
		{append(hello(), 0, 1, 0xff, 0xff), wire.Protocol},
		{append(hello(), 0), wire.Protocol},
	}
	for n := range len(hello()) {
		tests = append(tests, test{hello()[:n], wire.Protocol})
	}
	for kind := range 256 {
		if kind != 1 {
			want := wire.Protocol
			if kind == 2 {
				want = wire.UnsupportedVersion // a WELCOME of the version "sm"
			}
			tests = append(tests, test{append([]byte{byte(kind)}, hello()[1:]...), want})
		}
	}
	each(t, len(tests), func(t testing.TB, i int) {
		e := p.dial(t)
		_ = e.message(tests[i].message)
		code := e.follow()
		if e.last != tests[i].want || code != tests[i].want.CloseCode() {
			t.Errorf("%.40x: CLOSE %v and %d, want %v", tests[i].message, e.last, code, tests[i].want)
		}
		counts.add(row, 1, closed(code))
	})

	long := counts.row("link", "HELLO longer than 16 KiB")
	for _, size := range []int{16 << 10, 60_000} {
		e := p.dial(t)
		_ = e.message(hello(option(65535, make([]byte, size))))
		code := e.follow()
		if code != tooLong {
			t.Errorf("HELLO with %d bytes: %d, want %d", size, code, tooLong)
		}
		counts.add(long, 1, closed(code))
	}

	random := counts.row("link", "HELLO mutated")
	each(t, scaled(300, 20_000), func(t testing.TB, i int) {
		b := mutate(rand.New(rand.NewPCG(7, uint64(i))), hello(option(1, []byte("token")), option(3, []byte("agent"))))
		e := p.dial(t)
		_ = e.message(b)
		e.halfClose()
		code := e.follow()
		if !slices.Contains([]int{lost, 4015, 4016, 4017, 4022}, code) {
			t.Errorf("%x: %d", b, code)
		}
		counts.add(random, 1, closed(code))
	})
}

// violations are messages that no session may hold. Each ends it with CLOSE `protocol` and 4017.
func violations(t *testing.T, p *process, counts *table) {
	types := counts.row("link", "unknown type, HELLO or WELCOME in a session, empty message")
	sizes := counts.row("link", "body shorter or longer than its type allows")
	order := counts.row("link", "DATA beyond a gap, ACK beyond what was sent")
	type test struct {
		row     *row
		message []byte
	}
	tests := []test{{types, nil}, {types, hello()}, {types, append([]byte{2}, hello()[5:]...)}}
	for kind := 8; kind <= 256; kind++ {
		tests = append(tests, test{types, []byte{byte(kind), 0, 0, 0, 0, 0, 0, 0, 0}})
	}
	for kind, size := range map[byte]int{3: 9, 4: 12, 5: 8, 6: 8, 7: 2} {
		for n := range size {
			tests = append(tests, test{sizes, append([]byte{kind}, make([]byte, n)...)})
		}
		if kind != 3 && kind != 7 {
			tests = append(tests, test{sizes, append([]byte{kind}, make([]byte, size+1)...)})
		}
	}
	tests = append(tests, test{sizes, append([]byte{7, 0, 0}, bytes.Repeat([]byte("a"), wire.MaxCloseText+1)...)})
	for _, n := range []uint64{1, 1 << 20, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1} {
		tests = append(tests, test{order, wire.Data{Offset: n, Payload: []byte{0}}.Append(nil)}, test{order, wire.Ack{Received: n<<16 | n>>1}.Append(nil)})
	}
	each(t, len(tests), func(t testing.TB, i int) {
		e := p.greet(t)
		_ = e.message(tests[i].message)
		code := e.follow()
		if e.last != wire.Protocol || code != 4017 {
			t.Errorf("%.40x: CLOSE %v and %d, want 4017", tests[i].message, e.last, code)
		}
		counts.add(tests[i].row, 1, closed(code))
	})
}

// linkFloods are messages that are allowed, too many of them.
func linkFloods(t *testing.T, p *process, counts *table) {
	n := scaled(20_000, 1_000_000)
	for _, test := range []struct {
		input   string
		message []byte
	}{
		{"PING flood", wire.Ping{}.Append(nil)},
		{"PONG flood", wire.Pong{}.Append(nil)},
		{"ACK flood", wire.Ack{}.Append(nil)},
	} {
		row := counts.row("link", test.input)
		e := p.greet(t)
		code := make(chan int, 1)
		go func() { code <- e.follow() }()
		flood := bytes.Repeat(wsFrame(final|opBinary, test.message), 1000)
		for range n / 1000 {
			if err := e.raw(flood); err != nil {
				t.Errorf("%s: %v", test.input, err)
				break
			}
		}
		_ = e.message(wire.Close{Code: wire.OK}.Append(nil))
		got := <-code
		if got != 1000 {
			t.Errorf("after a %s: %d, want 1000", test.input, got)
		}
		counts.add(row, n, fmt.Sprintf("answered together, %d", got))
	}
}
