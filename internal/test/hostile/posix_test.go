package hostile_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// program is a client with full POSIX sockets by hand.
type program struct {
	*peer
	id int32
}

func (p *process) greetPosix(t testing.TB) *program {
	t.Helper()
	request := strings.NewReplacer("v1/connect", "v1/posix", "Sec-WebSocket-Protocol: "+wire.Subprotocol+"\r\n", "").Replace(upgrade)
	return &program{peer: p.dialWith(t, request)}
}

// words are the fields of a call.
func words(n ...int32) (b []byte) {
	for _, w := range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(w))
	}
	return b
}

// message is a call with the next number.
func (e *program) next(function calls.Function, body ...[]byte) []byte {
	e.id++
	return append(words(e.id, int32(function)), slices.Concat(body...)...)
}

// result returns what the next message of the server says.
func (e *program) result() (id, ret, errno int32, err error) {
	message, _, err := e.peer.next()
	if err != nil || len(message) < 12 {
		return 0, 0, 0, fmt.Errorf("a message of %d bytes: %w", len(message), err)
	}
	word := func(at int) int32 { return int32(binary.LittleEndian.Uint32(message[at:])) }
	return word(0), word(4), word(8), nil
}

// call makes a call and waits for its result. errno is 0 for one that succeeds.
func (e *program) call(t testing.TB, function calls.Function, body ...[]byte) (ret, errno int32) {
	t.Helper()
	if err := e.message(e.next(function, body...)); err != nil {
		t.Fatal(err)
	}
	for {
		id, ret, errno, err := e.result()
		switch {
		case err != nil:
			t.Fatal(err)
		case id == e.id:
			return ret, errno
		}
	}
}

// bye closes the WebSocket in the clean way, and reads until it has ended.
func (e *program) bye() (code int) {
	e.leave()
	for {
		if _, code, err := e.peer.next(); err != nil {
			_ = e.conn.Close() // the end either way
			return code
		}
	}
}

// target is a sockaddr with its length in front.
func target(to netip.AddrPort) []byte {
	return append(words(16), calls.AppendAddress(nil, calls.AFInet, to)...)
}

// posixCalls sends calls that are none: each is answered, and none ends its session.
func posixCalls(t *testing.T, p *process, where targets, counts *table) {
	row := counts.row("posix", "lengths that are lies, handles of nothing, unknown functions")
	e := p.greetPosix(t)
	fd, _ := e.call(t, calls.Socket, words(2, 1, 0))
	e.call(t, calls.Connect, words(fd), target(where.echo))
	const invalid, badHandle, unknown = 28, 8, 52
	huge := int32(1<<31 - 1)
	for _, test := range []struct {
		function calls.Function
		body     []byte
		errno    int32
	}{
		{calls.Sendto, append(words(fd, 1000, 0, 16), make([]byte, 260)...), invalid},
		{calls.Send, words(fd, -1, 0), invalid},
		{calls.Send, words(fd), invalid},
		{calls.Bind, words(fd, huge, 2), invalid},
		{calls.Setsockopt, words(fd, 1, 2, huge, 1), invalid},
		{calls.Getpeername, words(fd, huge), 0},
		{calls.Getsockopt, words(fd, 6, 11, 256), 50},
		{calls.Getsockopt, words(fd, 1, 3, huge), 0},
		{calls.Recv, words(fd, -1, 0x40), 6},
		{calls.Recvfrom, words(fd, -1, 0x40, -1), 6},
		{calls.Shutdown, words(0, 2), badHandle},
		{calls.Recv, words(6, 64, 0), badHandle},
		{4711, nil, unknown},
		{-1, make([]byte, 5000), unknown},
	} {
		if ret, errno := e.call(t, test.function, test.body); test.errno == 0 && ret < 0 || test.errno != 0 && (ret != -1 || errno != test.errno) {
			t.Errorf("function %d with %x: %d, errno %d; want errno %d", test.function, test.body, ret, errno, test.errno)
		}
		counts.add(row, 1, "answered")
	}
	counts.add(row, 0, closed(e.bye()))

	mutated := counts.row("posix", "sessions of 20 mutated calls")
	each(t, scaled(200, 10_000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(11, uint64(i)))
		e := p.greetPosix(t)
		for range 20 {
			some := [][]byte{
				e.next(calls.Socket, words(2, 1, 0)), e.next(calls.Connect, words(512), target(where.echo)), e.next(calls.Send, words(512, 4, 0), []byte("data")),
				e.next(calls.Recv, words(512, 64, 0x40)), e.next(calls.Shutdown, words(512, 2)), e.next(calls.Getsockname, words(512, 16)),
				e.next(calls.Getaddrinfo, make([]byte, calls.NodeSize+calls.ServiceSize+20)), e.next(calls.Socketpair, words(1, 1, 0)),
			}[random.IntN(8)]
			_ = e.message(mutate(random, some)) // the end tells
		}
		code := e.bye()
		if code != 1000 {
			t.Errorf("%d, want 1000", code)
		}
		counts.add(mutated, 1, closed(code))
	})

	lies := counts.row("posix", "a message that claims 2^62 bytes, 16 MiB of it; half a frame; text")
	e = p.greetPosix(t)
	_ = e.raw(append(binary.BigEndian.AppendUint64([]byte{final | opBinary, 0x80 | 127}, 1<<62), 0, 0, 0, 0)) // as above
	for range 16 {
		_ = e.raw(make([]byte, 1<<20)) // as above
	}
	counts.add(lies, 1, closed(e.half()))
	e = p.greetPosix(t)
	_ = e.raw(wsFrame(final|opBinary, e.next(calls.Socket, words(2, 1, 0)))[:20]) // as above
	counts.add(lies, 1, closed(e.half()))
	e = p.greetPosix(t)
	_ = e.raw(wsFrame(final|opText, []byte("hello"))) // as above
	code := e.half()
	if code != 1003 {
		t.Errorf("text: %d, want 1003", code)
	}
	counts.add(lies, 1, closed(code))
}

// half ends the client's direction alone, and reads until the connection has ended.
func (e *program) half() (code int) {
	e.halfClose()
	for {
		if _, code, err := e.peer.next(); err != nil {
			_ = e.conn.Close() // the end either way
			return code
		}
	}
}

// posixFloods make calls without end. The session goes on, with errors.
func posixFloods(t *testing.T, p *process, where targets, counts *table) {
	all := scaled(2_000, 100_000)
	for _, test := range []struct {
		input string
		call  func(e *program, fd int32) []byte
		read  bool
	}{
		{"sockets, none of them closed", func(e *program, _ int32) []byte { return e.next(calls.Socket, words(2, 1, 0)) }, true},
		{"connects, sends and closes", func(e *program, fd int32) []byte {
			return [][]byte{e.next(calls.Socket, words(2, 1, 0)), e.next(calls.Connect, words(512+e.id%200), target(where.echo)), e.next(calls.Send, words(512+e.id%200, 1, 0), []byte("x")), e.next(calls.Shutdown, words(512+e.id%200, 2))}[e.id/4%4]
		}, true},
		{"calls that are never answered", func(e *program, fd int32) []byte { return e.next(calls.Recv, words(fd, 64, 0)) }, true},
		{"sends of 64 KiB that the target does not read", func(e *program, fd int32) []byte {
			return e.next(calls.Send, words(fd, 64<<10, 0), make([]byte, 64<<10))
		}, true},
		{"messages without a number", func(*program, int32) []byte { return nil }, true},
		{"lookups whose results are not read", func(e *program, _ int32) []byte {
			return e.next(calls.Getaddrinfo, make([]byte, calls.NodeSize+calls.ServiceSize+20))
		}, false},
	} {
		row := counts.row("posix", test.input)
		e := p.greetPosix(t)
		fd, _ := e.call(t, calls.Socket, words(2, 1, 0))
		e.call(t, calls.Connect, words(fd), target(where.deaf))
		_ = e.conn.SetDeadline(time.Now().Add(10 * patience)) // never fails on an open socket
		code := make(chan int, 1)
		follow := func() {
			for {
				if _, got, err := e.peer.next(); err != nil {
					code <- got
					return
				}
			}
		}
		if test.read {
			go follow()
		} else {
			_ = e.conn.SetWriteDeadline(time.Now().Add(time.Second)) // of a client that the server makes wait
		}
		n, tried := all, 0
		if len(test.call(e, fd)) > 64<<10 {
			n = all / 20 // as many bytes
		}
		for ; tried < n && e.message(test.call(e, fd)) == nil; tried++ { // an error is that of the deadline
		}
		if test.read {
			_ = e.raw(wsFrame(final|opClose, binary.BigEndian.AppendUint16(nil, 1000))) // the code tells
		} else {
			_ = e.conn.Close() // it is over
			go follow()
		}
		got := <-code
		if test.read && got != 1000 || tried == 0 {
			t.Errorf("after %s: %d, want 1000; %d tried", test.input, got, tried)
		}
		_ = e.conn.Close() // it has ended
		counts.add(row, tried, closed(got))
	}
	silent := counts.row("posix", "upgraded, nothing sent, no ping answered")
	each(t, 8, func(t testing.TB, _ int) {
		e := p.greetPosix(t)
		began := time.Now()
		_, _ = io.Copy(io.Discard, e.read) // until the server cuts it
		if took := time.Since(began); took < keepalive/2 || took > patience/2 {
			t.Errorf("a silent session ended after %s", took)
		}
		counts.add(silent, 1, closed(lost))
		_ = e.conn.Close() // it has ended
	})
}
