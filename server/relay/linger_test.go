package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// slowly is a target that has little room and reads on a signal; it sends what it read.
func slowly(t *testing.T, read <-chan struct{}) (at target, got <-chan []byte, ends <-chan error) {
	t.Helper()
	data, errs := make(chan []byte, 1), make(chan error, 1)
	return listen(t, func(conn *net.TCPConn) {
		_ = conn.SetReadBuffer(4 << 10)
		<-read
		all, err := io.ReadAll(conn)
		data <- all
		errs <- err
	}), data, errs
}

// A session that was closed cleanly and is over: what was written before reaches a target that
// reads late, then the FIN.
func TestSessionClosedCleanly(t *testing.T) {
	for _, n := range []int{0, 50_000} {
		read := make(chan struct{})
		target, got, ends := slowly(t, read)
		ctx, end := context.WithCancel(t.Context())
		s := serve(t, ctx, local(t, Config{}), "127.0.0.1", target.addr.Port())
		s.want(wire.OK)
		data := random(n)
		if err := s.send(data); err != nil {
			t.Fatal(err)
		}
		s.closeSession()
		end()
		close(read)
		if all := <-got; !bytes.Equal(all, data) {
			t.Errorf("target got %d bytes, want %d", len(all), n)
		}
		if err := <-ends; err != nil {
			t.Errorf("%d bytes: target got %v, want its end", n, err)
		}
		s.wait()
		if got := ended(s.relay); got[wire.OK] != 1 {
			t.Errorf("ended %v, want one ok", got)
		}
	}
}

// The target has sent what is not read when the session is closed: no reset destroys the bytes.
func TestSessionClosedWithUnreadBytes(t *testing.T) {
	read := make(chan struct{})
	got, ends := make(chan []byte, 1), make(chan error, 1)
	target := listen(t, func(conn *net.TCPConn) {
		_ = conn.SetReadBuffer(4 << 10)
		if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
			t.Error(err)
		}
		<-read
		all, err := io.ReadAll(conn)
		got <- all
		ends <- err
	})
	ctx, end := context.WithCancel(t.Context())
	s := serve(t, ctx, local(t, Config{}), "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	data := random(30_000)
	if err := s.send(data); err != nil {
		t.Fatal(err)
	}
	s.closeSession()
	end()
	close(read)
	if all := <-got; !bytes.Equal(all, data) {
		t.Errorf("target got %d bytes, want %d", len(all), len(data))
	}
	if err := <-ends; err != nil {
		t.Errorf("target got %v, want its end", err)
	}
}

// A target that takes nothing holds the stream of a client that is gone for a bounded time.
func TestSessionClosedAndTheTargetTakesNothing(t *testing.T) {
	read := make(chan struct{})
	target, _, ends := slowly(t, read)
	r := local(t, Config{})
	r.takeTime = 50 * time.Millisecond
	ctx, end := context.WithCancel(t.Context())
	s := serve(t, ctx, r, "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	sent := make(chan error, 1)
	go func() { sent <- s.send(make([]byte, 8<<20)) }()
	for s.relay.Active() != 1 || pending(s.page) < window {
		time.Sleep(time.Millisecond) // a bounded poll: the test has its own timeout
	}
	s.closeSession()
	end()
	s.wait()
	<-sent
	close(read)
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v, want a reset", err)
	}
	if got := ended(r); got[wire.TimedOut] != 1 {
		t.Errorf("ended %v, want one timed_out", got)
	}
}

// A stream that outlives its session ends when it may not any longer, with that reason.
func TestSessionClosedAndTheStreamMayNotOutliveIt(t *testing.T) {
	read := make(chan struct{})
	target, _, ends := slowly(t, read)
	r := local(t, Config{})
	outlives, cut := context.WithCancelCause(t.Context())
	ctx, end := context.WithCancel(t.Context())
	s := serveOn(t, ctx, r, Terms{Outlives: outlives}, "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	sent := make(chan error, 1)
	go func() { sent <- s.send(make([]byte, 8<<20)) }()
	for pending(s.page) < window {
		time.Sleep(time.Millisecond) // a bounded poll: the test has its own timeout
	}
	s.closeSession()
	end()
	cut(limit.Refuse(limit.Memory, "no memory is left"))
	s.wait()
	<-sent
	close(read)
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v, want a reset", err)
	}
	if got := ended(r); got[wire.Limit] != 1 {
		t.Errorf("ended %v, want one limit", got)
	}
}

// pending is how many bytes the page has written that the relay has not read.
func pending(p *page) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up.buffer.Len()
}

// slow is a Meter that lets each piece pass after a time.
type slow time.Duration

func (slow) Begin() error    { return nil }
func (slow) Unbounded() bool { return false }
func (slow) Count(int)       {}

func (s slow) Take(ctx context.Context, _ <-chan struct{}, _ int) error {
	select {
	case <-time.After(time.Duration(s)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Bytes of a closed session that wait for the meter are late, not lost.
func TestSessionClosedAndBytesWaitForTheMeter(t *testing.T) {
	read := make(chan struct{})
	close(read)
	target, got, ends := slowly(t, read)
	r := local(t, Config{})
	r.takeTime = 20 * time.Millisecond
	ctx, end := context.WithCancel(t.Context())
	s := serveOn(t, ctx, r, Terms{Meter: slow(5 * r.takeTime)}, "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	data := random(30_000)
	if err := s.send(data); err != nil {
		t.Fatal(err)
	}
	s.closeSession()
	end()
	if all := <-got; !bytes.Equal(all, data) {
		t.Errorf("target got %d bytes, want %d", len(all), len(data))
	}
	if err := <-ends; err != nil {
		t.Errorf("target got %v, want its end", err)
	}
	s.wait()
}

// A target that has taken everything and stays does not keep the stream of a client that is gone.
func TestSessionClosedAndTheTargetStays(t *testing.T) {
	release := make(chan struct{})
	got := make(chan []byte, 1)
	target := listen(t, func(conn *net.TCPConn) {
		all, _ := io.ReadAll(conn)
		got <- all
		<-release
	})
	r := local(t, Config{})
	r.linger = time.Millisecond
	ctx, end := context.WithCancel(t.Context())
	s := serve(t, ctx, r, "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	if err := s.send([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	s.closeSession()
	end()
	s.wait()
	close(release)
	if all := <-got; string(all) != "last words" {
		t.Errorf("target got %q", all)
	}
	if got := ended(r); got[wire.OK] != 1 {
		t.Errorf("ended %v, want one ok", got)
	}
}

// A session that is lost is no close: the target sees a reset.
func TestSessionLost(t *testing.T) {
	read := make(chan struct{})
	close(read)
	target, _, ends := slowly(t, read)
	ctx, end := context.WithCancel(t.Context())
	s := serve(t, ctx, local(t, Config{}), "127.0.0.1", target.addr.Port())
	s.want(wire.OK)
	s.change(func() { s.endLocked(wire.NewError(wire.SessionLost, "")) })
	end()
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v, want a reset", err)
	}
}

// A stream that is closed before its answer delivers what was written, whether or not the
// session ends meanwhile.
func TestClosedBeforeTheAnswer(t *testing.T) {
	for _, closeSession := range []bool{false, true} {
		read, resolve, asked := make(chan struct{}), make(chan struct{}), make(chan struct{})
		target, got, ends := slowly(t, read)
		names := lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			close(asked)
			select {
			case <-resolve:
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		ctx, end := context.WithCancel(t.Context())
		s := serve(t, ctx, local(t, Config{Resolver: names}), "late.example", target.addr.Port())
		data := random(30_000)
		if err := s.send(data); err != nil {
			t.Fatal(err)
		}
		s.fin()
		s.stop()
		<-asked
		if closeSession {
			s.closeSession()
			end()
		}
		close(resolve)
		s.want(wire.OK)
		close(read)
		if all := <-got; !bytes.Equal(all, data) {
			t.Errorf("target got %d bytes, want %d", len(all), len(data))
		}
		if err := <-ends; err != nil {
			t.Errorf("target got %v, want its end", err)
		}
		s.wait()
		end()
	}
}

// A stream that is closed before its answer and carries nothing ends its dial.
func TestClosedUnused(t *testing.T) {
	for _, session := range []bool{false, true} {
		asked := make(chan struct{})
		names := lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
			close(asked)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		ctx, end := context.WithCancel(t.Context())
		s := serve(t, ctx, local(t, Config{Resolver: names, DialTimeout: time.Hour}), "slow.example", 80)
		<-asked
		if session {
			s.closeSession()
			end()
		} else {
			s.fin()
			s.stop()
		}
		s.want(wire.Aborted)
		s.wait()
		end()
	}
}

// A target has its time anew for as long as it takes something.
func TestWhileTaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipe(&service{Relay: &Relay{live: newLive()}}, newPage(t, wire.Request{}))
		p.conn = new(net.TCPConn) // one without a socket: nothing is acknowledged
		began := time.Now()
		go func() { // ends with the bubble
			for range 10 {
				time.Sleep(900 * time.Millisecond) // of the bubble's clock, as below
				p.countUp(1)
			}
		}()
		if ended := p.whileTaking(t.Context(), time.Second); ended {
			t.Error("copyDown has not ended")
		}
		if took := time.Since(began); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("it took %s", took)
		}
		close(p.downEnded)
		if ended := p.whileTaking(t.Context(), time.Hour); !ended {
			t.Error("copyDown has ended")
		}
	})
}
