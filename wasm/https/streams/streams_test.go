package streams_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/message"
	"github.com/sockmux/sockmux/wasm/https/streams"
	"github.com/sockmux/sockmux/wasm/memory"
)

type told struct {
	kind, id, number uint32
	text             string
}

// page notes messages.
type page chan told

func (p page) Tell(kind, id, number uint32, b []byte) { p <- told{kind, id, number, string(b)} }

func start() (page, *memory.Pool, *streams.Set) {
	p, pool := make(page, 1000), &memory.Pool{}
	return p, pool, streams.NewSet(p, pool)
}

// dial opens a stream as the page does.
func dial(t *testing.T, p page, s *streams.Set) (*streams.Conn, uint32) {
	t.Helper()
	var id uint32
	go func() {
		m := <-p
		if m.kind != message.Open || m.text != "::1\x00443" {
			t.Errorf("told %+v", m)
		}
		id = m.id
		s.Opened(m.id)
		s.Opened(m.id)
	}()
	c, err := s.Dial(t.Context(), "[::1]:443")
	if err != nil {
		t.Fatal(err)
	}
	return c, id
}

func bytesOf(pool *memory.Pool, text string) []byte {
	b := pool.Get(len(text))
	copy(b, text)
	return b
}

func TestBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pool, s := start()
		c, id := dial(t, p, s)
		s.Data(id, bytesOf(pool, "hello"))
		s.EOF(id)
		if b, err := io.ReadAll(c); string(b) != "hello" || err != nil {
			t.Errorf("read %q, %v", b, err)
		}
		long := make([]byte, message.Ahead+10)
		go func() {
			n, err := c.Write(long)
			if n != len(long) || err != nil {
				t.Errorf("Write: %d, %v", n, err)
			}
			_ = c.CloseWrite()
			_ = c.CloseWrite()
		}()
		if m := <-p; m.kind != message.Write || len(m.text) != message.Ahead {
			t.Errorf("told %d, %d bytes", m.kind, len(m.text))
		}
		synctest.Wait()
		if len(p) != 0 {
			t.Error("a write goes beyond what may wait")
		}
		s.Written(id, 100)
		if m := <-p; m.kind != message.Write || len(m.text) != 10 {
			t.Errorf("told %d, %d bytes", m.kind, len(m.text))
		}
		if m := <-p; m.kind != message.CloseWrite {
			t.Errorf("told %+v", m)
		}
		if err := c.Close(); err != nil || (<-p).kind != message.Close {
			t.Errorf("Close: %v", err)
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) || len(p) != 0 {
			t.Errorf("a second Close: %v, %d messages", err, len(p))
		}
		if _, err := c.Write(long); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write behind Close: %v", err)
		}
		s.Closed(id, wire.OK, "")
		s.Closed(id, wire.OK, "")
		s.Data(id, bytesOf(pool, "late"))
		s.EOF(id)
		s.Written(id, 1)
	})
}

func TestReadsAreGranted(t *testing.T) {
	p, pool, s := start()
	c, id := dial(t, p, s)
	buffer, granted := make([]byte, 64<<10), 0
	for range 32 {
		s.Data(id, pool.Get(len(buffer)))
		_, _ = io.ReadFull(c, buffer)
	}
	for len(p) > 0 {
		m := <-p
		if m.kind != message.StreamGrant {
			t.Errorf("told %+v", m)
		}
		granted += int(m.number)
	}
	if granted != 32*len(buffer) {
		t.Errorf("%d of %d bytes were granted", granted, 32*len(buffer))
	}
}

func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, pool, s := start()
		go func() { s.Closed((<-p).id, wire.Refused, "nothing listens") }()
		var failure *streams.Error
		if _, err := s.Dial(t.Context(), "h:1"); !errors.As(err, &failure) || failure.Code != wire.Refused || err.Error() != "refused: nothing listens" {
			t.Errorf("Dial: %v", err)
		}
		for _, address := range []string{"h", "h:99999"} {
			if _, err := s.Dial(t.Context(), address); err == nil || len(p) != 0 {
				t.Errorf("%s: %v", address, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := s.Dial(ctx, "h:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Dial: %v", err)
		}
		if <-p; (<-p).kind != message.Close {
			t.Error("a stream that was given up is not closed")
		}

		c := s.Adopt(7)
		s.Data(7, bytesOf(pool, "rest"))
		s.Closed(7, wire.Reset, "")
		if b, err := io.ReadAll(c); string(b) != "rest" || !errors.As(err, &failure) || failure.Code != wire.Reset {
			t.Errorf("read %q, %v", b, err)
		}
		if _, err := c.Write([]byte("x")); !errors.As(err, &failure) {
			t.Errorf("Write: %v", err)
		}
	})
}

func TestConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, s := start()
		c := s.Adopt(1)
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, err := c.Read(make([]byte, 1))
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Read: %v", err)
		}
		_ = c.SetReadDeadline(time.Time{})
		_ = c.SetWriteDeadline(time.Now())
		if _, err := c.Write(make([]byte, 1)); !errors.As(err, &timeout) {
			t.Errorf("Write: %v", err)
		}
		if c.RemoteAddr().Network() != "tcp" || c.LocalAddr().String() != "" {
			t.Errorf("%v, %v", c.RemoteAddr(), c.LocalAddr())
		}
	})
}
