package hostile_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// floods open streams, as many as the issue says, by clients that read and by clients that do not.
func floods(t *testing.T, p *process, where targets, counts *table) {
	n := scaled(10_000, 100_000)
	flood := func(e *peer, some func(id uint32) []byte) error {
		b := control()
		for i := range uint32(n) {
			if b = append(b, some(3+2*i)...); len(b) > 64<<10 {
				if err := e.bytes(b); err != nil {
					return err
				}
				b = b[:0]
			}
		}
		return e.bytes(b)
	}
	for _, test := range []struct {
		input string
		some  func(id uint32) []byte
	}{
		{"streams opened without a request (SYN flood)", syn},
		{"streams with a request that is denied, never ended", func(id uint32) []byte {
			return open(id, wire.Request{Kind: wire.TCP, Host: wire.ParseHost("169.254.169.254"), Port: 80})
		}},
		{"streams opened to a target and reset by yamux's RST", func(id uint32) []byte {
			return append(open(id, to(where.echo)), frame(typeWindow, flagRST, id, 0)...)
		}},
		{"streams opened to a target, used and ended", func(id uint32) []byte {
			return slices.Concat(open(id, to(where.echo)), payload(id, []byte("hello")), frame(typeWindow, flagFIN, id, 0))
		}},
	} {
		row := counts.row("yamux", test.input)
		e := p.greet(t)
		code := make(chan int, 1)
		go func() { code <- e.follow() }()
		_ = flood(e, test.some) // the server may have ended it
		_ = e.message(wire.Close{Code: wire.OK}.Append(nil))
		got := <-code
		if got != 1000 && got != 4017 {
			t.Errorf("after %s: CLOSE %v and %d, want 1000, or 4017 where more than the backlog were not taken yet", test.input, e.last, got)
		}
		counts.add(row, n, closed(got))
	}

	// A client that reads nothing is not read any more either, and is cut as a dead line.
	silent := []struct {
		input string
		some  func(id uint32) []byte
	}{
		{"the same SYN flood by a client that reads nothing", syn},
		{"RESETs whose answers are not read", func(id uint32) []byte { return telling(wire.StreamReset{ID: id, Size: 1}) }},
	}
	each(t, len(silent), func(t testing.TB, i int) {
		test := silent[i]
		row := counts.row("yamux", test.input)
		e := p.greet(t)
		_ = e.conn.SetWriteDeadline(time.Now().Add(2 * keepalive)) // never fails on an open socket
		_ = flood(e, test.some)                                    // the server may have stopped reading
		e.silent = true
		code := e.follow() // reads what has piled up, and acknowledges none of it
		if code != lost && code != 4017 {
			t.Errorf("%s: %d, want none or 4017", test.input, code)
		}
		counts.add(row, n, closed(code))
	})
}

// unread fills the windows of streams whose target reads nothing, and sends what is
// granted as long as anything is: memory is bounded by the windows.
func unread(t *testing.T, p *process, where targets, counts *table) {
	n := scaled(64, 1024)
	row := counts.row("yamux", "streams with a full window that the target does not read")
	e := p.greet(t)
	_ = e.conn.SetDeadline(time.Now().Add(10 * patience)) // never fails on an open socket
	var mu sync.Mutex
	may := make(map[uint32]uint32)
	e.ending = &endings{ended: func(uint32) {}, granted: func(id, n uint32) {
		mu.Lock()
		defer mu.Unlock()
		may[id] += n
	}}
	code := make(chan int, 1)
	go func() { code <- e.follow() }()
	request := open(3, to(where.deaf))
	first := window - uint32(len(request)-2*len(syn(3))) // the request counts, its headers do not
	_ = e.bytes(control())                               // what fails is found at the end
	for i := range uint32(n) {
		id := 3 + 2*i
		_ = e.bytes(open(id, to(where.deaf)))
		mu.Lock()
		may[id] += first
		mu.Unlock()
	}
	total, still := 0, 0
	for deadline := time.Now().Add(patience); still < 50 && time.Now().Before(deadline); still++ {
		for i := range uint32(n) {
			id := 3 + 2*i
			mu.Lock()
			left := may[id]
			may[id] = 0
			mu.Unlock()
			for left > 0 {
				piece := min(left, 32<<10)
				_ = e.bytes(payload(id, make([]byte, piece)))
				left -= piece
				total += int(piece)
				still = 0
			}
		}
		time.Sleep(10 * time.Millisecond) // polls what is granted, bounded
	}
	held := p.Measure(t)
	_ = e.message(wire.Close{Code: wire.OK}.Append(nil))
	got := <-code
	if got != 1000 {
		t.Errorf("after streams that are not read: CLOSE %v and %d, want 1000", e.last, got)
	}
	t.Logf("%d streams, %d MiB sent: %s", n, total>>20, held)
	if total < n*(window-1<<10) { // the requests count as well
		t.Errorf("only %d bytes were sent, want %d windows", total, n)
	}
	// docs/SECURITY.md: the windows in chunks of 64 KiB, a copy buffer of the relay for each, what
	// windows may have been larger by at their start and grown by, and the neighbor.
	if ceiling := int64(n)*(window+2*64<<10) + 64<<20 + 16<<20 + 32<<20; !product.Race && held.Heap > ceiling {
		t.Errorf("the heap has %d MiB, want %d at most", held.Heap>>20, ceiling>>20)
	}
	counts.add(row, n, fmt.Sprintf("kept, %d", got))
}
