package session_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// deaf is a client's end of a carrier that may stop to carry in either direction, or take long.
type deaf struct {
	link.Carrier
	mu             sync.Mutex
	sends, arrives bool
	late           time.Duration // of what is sent
}

var errNoNetwork = errors.New("no network")

func (d *deaf) lose(sends, arrives bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sends, d.arrives = d.sends || sends, d.arrives || arrives
}

func (d *deaf) lost() (sends, arrives bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sends, d.arrives
}

func (d *deaf) Send(ctx context.Context, message []byte) error {
	select {
	case <-time.After(d.late): // of the bubble's clock
	case <-ctx.Done():
		return ctx.Err()
	}
	if sends, _ := d.lost(); sends {
		return nil
	}
	return d.Carrier.Send(ctx, message)
}

func (d *deaf) Receive(ctx context.Context) ([]byte, error) {
	for {
		message, err := d.Carrier.Receive(ctx)
		if _, arrives := d.lost(); err != nil || !arrives {
			return message, err
		}
	}
}

// TestClientGivesUpLast: whatever happens to carriers, in either direction, and whenever
// either end notices it: a client says session_lost only when the server has lost it, too.
func TestClientGivesUpLast(t *testing.T) {
	const seeds, grace = 300, 2 * time.Minute
	lost, kept := 0, 0
	for seed := range uint64(seeds) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 9))
			lateness := rand.New(rand.NewPCG(seed, 10)) // under mu
			w := newWorld(t, session.Config{Grace: grace, MaxDetached: 10, Keepalive: time.Duration(1+random.IntN(20)) * time.Second})
			var mu sync.Mutex
			var last *deaf
			away, half := false, random.IntN(2) == 0 // half: the way there goes on
			dial := func(ctx context.Context) (link.Carrier, error) {
				mu.Lock()
				defer mu.Unlock()
				if away && !half {
					return nil, errNoNetwork
				}
				carrier, err := w.dial(ctx)
				last = &deaf{Carrier: carrier, arrives: away, late: time.Duration(lateness.IntN(300)) * time.Millisecond}
				return last, err
			}
			over := make(chan struct{})
			c := client.New(client.Config{Dial: dial, OnState: func(s client.State) {
				if s.Phase != client.Closed {
					return
				}
				if s.Reason.Code == wire.SessionLost {
					if got := w.registry.Stats(); got.Sessions > 0 {
						t.Errorf("seed %d: the client says %v, and the server has %+v", seed, s.Reason, got)
					}
				}
				close(over)
			}})
			s := open(t, c)
			for began := time.Now(); time.Since(began) < 10*time.Minute; { // of the bubble's clock
				pause := time.After(time.Duration(random.IntN(150)) * time.Second)
				select {
				case <-over:
				case <-pause:
					mu.Lock()
					if away = !away; away {
						last.lose(random.IntN(2) == 0 && !half, true)
						if random.IntN(3) == 0 {
							w.last().Cut()
						}
					} else if sends, _ := last.lost(); sends || half {
						last.lose(true, true) // that one stays lost
					}
					mu.Unlock()
					continue
				}
				break
			}
			select {
			case <-over:
				lost++
			default:
				kept++
			}
			_ = s.Close() // it may have been lost
			c.Close()
		})
	}
	if lost == 0 || kept == 0 {
		t.Errorf("%d sessions were lost, %d kept: want some of each", lost, kept)
	}
	t.Logf("%d sessions were lost, %d kept", lost, kept)
}

// TestFruitlessResume: a client that resumes, and is never heard behind its hello, holds its
// session for one grace period and no longer.
func TestFruitlessResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const grace = time.Minute
		w := newWorld(t, session.Config{Grace: grace, MaxDetached: 10})
		m, c := w.hello(wire.Hello{Version: wire.Version, Capabilities: wire.CanResume})
		known := m.(wire.Welcome).Session
		c.Cut()
		began := time.Now()
		for w.figures().Sessions > 0 && time.Since(began) < time.Hour {
			carrier, err := w.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			resume := wire.Hello{Version: wire.Version, Capabilities: wire.CanResume, Resume: &wire.Resume{ID: known.ID, Secret: known.Secret}}
			if err := carrier.Send(t.Context(), resume.Append(nil)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(7 * time.Second) // of the bubble's clock
			w.last().Cut()
			synctest.Wait()
		}
		if held := time.Since(began); held < grace || held > grace+20*time.Second {
			t.Errorf("the session was held for %s, the grace period is %s", held, grace)
		}
	})
}
