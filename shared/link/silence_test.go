package link_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// bubble runs a test of two joined links on a fake clock.
func bubble(t *testing.T, config link.Config, test func(t *testing.T, p *pair, a *linktest.Carrier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, config)
		a, _ := p.join(t.Context())
		synctest.Wait()
		test(t, p, a)
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
	})
}

// nobodyGaveUp fails where a run has ended.
func (p *pair) nobodyGaveUp(t *testing.T) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-p.errs:
		t.Errorf("a run ended: %v", err)
	default:
	}
}

// TestProbe: who doubts a carrier hears within the probe's time that it is dead, and not
// after the 20 s of silence.
func TestProbe(t *testing.T) {
	const timeout = 3 * time.Second
	t.Run("dead", func(t *testing.T) {
		bubble(t, link.Config{}, func(t *testing.T, p *pair, a *linktest.Carrier) {
			time.Sleep(time.Second) // of the bubble, as below
			a.Blackhole()
			began := time.Now()
			p.a.Probe(timeout)
			if one, other := <-p.errs, <-p.errs; !errors.Is(one, link.ErrSilent) && !errors.Is(other, link.ErrSilent) {
				t.Errorf("the runs ended with %v and %v", one, other)
			}
			if took := time.Since(began); took != timeout {
				t.Errorf("given up after %s, want %s", took, timeout)
			}
		})
	})
	t.Run("alive", func(t *testing.T) {
		bubble(t, link.Config{}, func(t *testing.T, p *pair, _ *linktest.Carrier) {
			before := p.b.Stats().MessagesReceived
			for range 5 {
				p.a.Probe(timeout) // one question answers all
			}
			synctest.Wait()
			if got := p.b.Stats().MessagesReceived - before; got != 1 {
				t.Errorf("%d messages for the probe, want 1", got)
			}
			time.Sleep(time.Hour)
			p.nobodyGaveUp(t)
		})
	})
	t.Run("it is over with the first sign of life", func(t *testing.T) {
		bubble(t, link.Config{}, func(t *testing.T, p *pair, a *linktest.Carrier) {
			p.a.Probe(timeout)
			synctest.Wait() // it was answered
			a.Blackhole()
			time.Sleep(2 * timeout)
			p.nobodyGaveUp(t)
			if one, other := <-p.errs, <-p.errs; !errors.Is(one, link.ErrSilent) && !errors.Is(other, link.ErrSilent) { // the usual silence
				t.Errorf("the runs ended with %v and %v", one, other)
			}
		})
	})
	t.Run("without a carrier", func(t *testing.T) {
		l := link.New(link.Config{})
		l.Probe(timeout)
		l.Close()
		l.Probe(timeout)
	})
	t.Run("a longer time than the silence's changes nothing", func(t *testing.T) {
		bubble(t, link.Config{PingAfter: time.Second, DeadAfter: 2 * time.Second}, func(t *testing.T, p *pair, a *linktest.Carrier) {
			a.Blackhole()
			began := time.Now()
			p.a.Probe(time.Hour)
			<-p.errs
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("given up after %s", took)
			}
		})
	})
}

// TestClockJumps: an end that did not run for an hour (a sleeping laptop, a frozen tab)
// gives the other a chance to answer, and no more than that.
func TestClockJumps(t *testing.T) {
	config := link.Config{PingAfter: 10 * time.Second, DeadAfter: 20 * time.Second}
	for name, asked := range map[string]bool{"alone": false, "during a probe": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, config, func(t *testing.T, p *pair, a *linktest.Carrier) {
				a.Blackhole()
				if asked {
					p.a.Probe(3 * time.Second)
				}
				time.Sleep(2 * time.Second)
				if asked {
					// The watchdog's timer comes late by ten minutes: as if it had been due then.
					if left := p.a.Alive(time.Now().Add(-10 * time.Minute)); left != 3*time.Second {
						t.Errorf("%s left, want the time of a whole probe", left)
					}
					return
				}
				if left := p.a.Alive(time.Now().Add(-10 * time.Minute)); left != 18*time.Second {
					t.Errorf("%s left, want what was left", left)
				}
				time.Sleep(17500 * time.Millisecond)
				if left := p.a.Alive(time.Now()); left != 500*time.Millisecond {
					t.Errorf("%s left on time, want 500ms", left)
				}
				if left := p.a.Alive(time.Now().Add(-time.Hour)); left != 10*time.Second {
					t.Errorf("%s left after a sleep, want 10s for an answer", left)
				}
			})
		})
	}
}

// narrow is a carrier through a proxy that passes no long messages.
type narrow struct {
	*linktest.Carrier
	most int
}

func (n narrow) Send(ctx context.Context, message []byte) error {
	if len(message) > n.most {
		n.Cut()
		return linktest.ErrCut
	}
	return n.Carrier.Send(ctx, message)
}

// TestProxyThatLimitsMessages: where carriers are cut at long messages again and again,
// messages become shorter until they pass.
func TestProxyThatLimitsMessages(t *testing.T) {
	for _, most := range []int{link.MaxSegment + 100, 64 << 10, 32 << 10, 4 << 10} {
		p := newPair(t, link.Config{})
		up := payload(6<<20, uint64(most))
		sent := send(t, p.a, up)
		var got []byte
		read := make(chan struct{})
		go func() { // ends with the bytes
			defer close(read)
			got = receive(t, p.b, len(up))
		}()
		runs := 0
		for done := false; !done; {
			runs++
			a, b := linktest.Pipe()
			fromA, fromB := p.b.Received(), p.a.Received()
			p.runs.Go(func() { p.errs <- p.a.Run(t.Context(), narrow{a, most}, fromA) })
			p.runs.Go(func() { p.errs <- p.b.Run(t.Context(), b, fromB) })
			select {
			case <-read:
				done = true
			case <-p.errs:
				<-p.errs
				p.runs.Wait()
			}
		}
		<-sent
		if string(got) != string(up) {
			t.Errorf("messages of at most %d: the bytes differ", most)
		}
		// Each time that the path looks faster than the proxy lets through costs three
		// carriers; the bytes of one run show it at most a few times.
		if runs > 15 || runs > 1 && most > link.MaxSegment {
			t.Errorf("messages of at most %d: %d carriers", most, runs)
		}
		p.a.Close()
		p.b.Close()
		p.runs.Wait()
	}
}

// TestKeepaliveFromTheOtherEnd: what the welcome demands counts for the carrier that brought it.
func TestKeepaliveFromTheOtherEnd(t *testing.T) {
	bubble(t, link.Config{}, func(t *testing.T, p *pair, a *linktest.Carrier) {
		p.a.SetKeepalive(time.Second, 2*time.Second)
		synctest.Wait()
		a.Blackhole()
		began := time.Now()
		<-p.errs
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("found dead after %s, want 2s", took)
		}
	})
}

// TestResumeFromNowhereIsToldWhy: the CLOSE comes before the WebSocket's close, so that a
// page can read it.
func TestResumeFromNowhereIsToldWhy(t *testing.T) {
	l := link.New(link.Config{})
	mine, theirs := linktest.Pipe()
	if err := l.Run(t.Context(), mine, 1); !errors.Is(err, wire.NewError(wire.Protocol, "")) {
		t.Errorf("run: %v", err)
	}
	message, err := theirs.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m, err := wire.Decode(message); err != nil || m.(wire.Close).Code != wire.Protocol {
		t.Errorf("answer: %+v, %v, want CLOSE protocol", m, err)
	}
}
