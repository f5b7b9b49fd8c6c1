package relay

import (
	"bytes"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// quickly is a stream whose bytes are written by the goroutine that has them.
func quickly(t *testing.T, terms func(*Terms), serveTarget func(*net.TCPConn)) serving {
	t.Helper()
	r := local(t, Config{})
	changed := r.defaults
	terms(&changed)
	s := serveOn(t, t.Context(), r, changed, "127.0.0.1", listen(t, serveTarget).addr.Port())
	s.quick = true
	s.want(wire.OK)
	return s
}

// awaitReader waits until the relay waits for bytes.
func (s serving) awaitReader() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.waits || s.direct == nil {
		s.changed.Wait()
	}
}

// TestDirect: bytes that the target takes at once, and those that have to wait for it, arrive in
// their order, are counted once, and no goroutine has to read the former.
func TestDirect(t *testing.T) {
	read, got := make(chan struct{}), make(chan []byte, 1)
	s := quickly(t, func(*Terms) {}, func(conn *net.TCPConn) {
		<-read
		all, _ := io.ReadAll(conn) // what is missing the test sees
		got <- all
	})
	data := random(8 << 20)
	s.awaitReader()
	if err := s.send(data[:10]); err != nil {
		t.Fatal(err)
	}
	if pending(s.page) != 0 {
		t.Error("bytes that the target takes wait for the relay")
	}
	sent := 10
	for ; pending(s.page) == 0; sent += 100_000 { // until the target takes no more
		s.awaitReader()
		if err := s.send(data[sent : sent+100_000]); err != nil {
			t.Fatal(err)
		}
	}
	close(read)
	for ; sent < len(data); sent += 100_000 {
		if err := s.send(data[sent:min(len(data), sent+100_000)]); err != nil {
			t.Fatal(err)
		}
	}
	s.fin()
	if all := <-got; !bytes.Equal(all, data) {
		t.Errorf("%d bytes came, want %d, or others", len(all), len(data))
	}
	s.wait()
	if up, _ := s.relay.Bytes(); up != uint64(len(data)) {
		t.Errorf("%d bytes are counted, want %d", up, len(data))
	}
}

// TestDirectCounts bytes for the client's account, and leaves those that are bound by it to Take.
func TestDirectCounts(t *testing.T) {
	for what, limits := range map[string]limit.Limits{
		"unbounded": {}, "a rate": {BytesPerSecond: 1 << 20}, "bytes of the day": {BytesPerDay: 1 << 20},
	} {
		account, err := limit.NewCounters().Enter("alice", limits)
		if err != nil {
			t.Fatal(err)
		}
		s := quickly(t, func(terms *Terms) { terms.Meter = account }, echo)
		s.awaitReader()
		if err := s.send([]byte("0123456789")); err != nil {
			t.Fatal(err)
		}
		if waits := pending(s.page); what != "unbounded" && waits == 0 && account.Usage().Today == 0 {
			t.Errorf("%s: bytes have passed uncounted", what)
		}
		s.fin()
		if all, err := s.recvAll(); err != nil || string(all) != "0123456789" {
			t.Errorf("%s: %q, %v", what, all, err)
		}
		s.wait()
		if used := account.Usage().Today; used != 20 {
			t.Errorf("%s: %d bytes are counted, want 20", what, used)
		}
	}
}

// TestDirectToATargetThatIsGone ends as bytes in the usual way do: with the reason that the system
// gives once.
func TestDirectToATargetThatIsGone(t *testing.T) {
	answered, reset := make(chan struct{}), make(chan struct{})
	s := quickly(t, func(*Terms) {}, func(conn *net.TCPConn) {
		<-answered
		abort(conn)
		close(reset)
	})
	close(answered)
	<-reset
	var err error
	for err == nil { // the first may come before the reset
		err = s.send([]byte("x"))
	}
	if _, err = s.recvAll(); !errors.Is(err, wire.NewError(wire.Reset, "")) {
		t.Errorf("the page reads %v, want a reset", err)
	}
	s.wait()
	if got := ended(s.relay); got[wire.Reset] != 1 {
		t.Errorf("ended %v, want one reset", got)
	}
}

// TestUnusedIsClosed: a client that has written nothing and reads nothing closes as close(2) does,
// and waits for no target. One that has written delivers.
func TestUnusedIsClosed(t *testing.T) {
	for _, written := range []string{"", "x"} {
		hold, ends := make(chan struct{}), make(chan error, 1)
		r := local(t, Config{})
		r.linger = time.Hour
		s := serve(t, t.Context(), r, "127.0.0.1", listen(t, func(conn *net.TCPConn) {
			_, err := io.ReadAll(conn)
			if err == nil && written == "" { // the connection has no other end any more
				for err == nil {
					_, err = conn.Write(make([]byte, 1<<10))
				}
				if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the target's write ends with %v", err)
				}
				err = nil
			}
			ends <- err
			<-hold
		}).addr.Port())
		s.want(wire.OK)
		if err := s.send([]byte(written)); err != nil {
			t.Fatal(err)
		}
		s.stop()
		s.fin()
		if written == "" {
			s.wait() // while the target holds its end
		}
		if err := <-ends; err != nil {
			t.Errorf("behind %q the target reads %v, want its end", written, err)
		}
		close(hold)
		s.wait()
		if got := ended(s.relay); got[wire.OK] != 1 {
			t.Errorf("ended %v, want one ok", got)
		}
	}
}
