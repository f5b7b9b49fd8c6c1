package fault_test

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestMiddleboxes: what lies between a page and a server delays, splits, limits and
// refuses; the bytes come through.
func TestMiddleboxes(t *testing.T) {
	delay := scaled(200*time.Millisecond, 2*time.Second)
	for name, conduct := range map[string]fault.Conduct{
		"delays":                                 {Delay: delay},
		"splits into pieces of 7 bytes":          {Piece: 7},
		"limits messages to 64 KiB":              {Message: 64 << 10},
		"limits messages to 16 KiB":              {Message: 16 << 10},
		"delays, splits and limits to 16 KiB":    {Delay: delay / 4, Piece: 1000, Message: 16 << 10},
		"cuts what is idle for half the silence": {Idle: 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keepalive := max(time.Second, 4*delay) // a connection that is slow is not dead
			if conduct.Idle > 0 {
				keepalive = conduct.Idle / 3
			}
			w := newWorld(t, nil, "--keepalive", keepalive.String())
			w.proxy.Set(conduct)
			target := product.Target(t, mover)
			c, _ := w.client()
			var moved atomic.Int64
			n := int64(1 << 20)
			if conduct.Piece > 0 {
				n = 50_000 * int64(conduct.Piece) / 7 // it is the pieces that take time
			}
			up, down := product.Open(t, c, target), product.Open(t, c, target)
			var both sync.WaitGroup
			both.Go(func() {
				if err := upload(up, 1, n, &moved); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				if err := download(down, 2, n, &moved); err != nil {
					t.Error(err)
				}
			})
			both.Wait()
			if got := w.Counts(t).Sessions; got != 1 {
				t.Errorf("%d sessions, want 1", got)
			}
			t.Logf("%d carriers", w.proxy.Taken())
		})
	}
}

// badGateway is what a load balancer says while the server restarts behind it.
const badGateway = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// TestNoUpgradeForAWhile: what lies before the server answers in its place, knows nothing
// of upgrades, or breaks off; sessions wait, and come back.
func TestNoUpgradeForAWhile(t *testing.T) {
	for name, answer := range map[string]string{
		"502":                      badGateway,
		"200 without the upgrade":  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
		"400: the upgrade is gone": "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
		"the answer breaks off":    "HTTP/1.1 101 Switching Proto",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, quick)
			target := product.Target(t, mover)
			c, states := w.client()
			s := product.Open(t, c, target)
			if _, err := io.WriteString(s, "echo\n"); err != nil {
				t.Fatal(err)
			}
			say(t, s, "before")
			from := states.count()
			w.proxy.Set(fault.Conduct{Answer: answer})
			w.proxy.Cut(fault.Reset)
			state, _ := states.await(t, from, "failed attempts", func(s client.State) bool { return s.Phase == client.Resuming && s.Attempt >= 3 })
			if state.Reason == nil || state.Reason.Code != wire.NotConnected {
				t.Errorf("state: %+v", state)
			}
			w.proxy.Set(fault.Conduct{})
			c.RetryNow()
			states.await(t, from, "repaired", is(client.Open))
			say(t, s, "after")
		})
	}
}

// TestBadGatewayAtFirst: a session that never began says so soon, and the next stream tries again.
func TestBadGatewayAtFirst(t *testing.T) {
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	c, _ := w.client()
	w.proxy.Set(fault.Conduct{Answer: badGateway})
	if _, err := product.Opened(t.Context(), c, target); !isCode(err, wire.NotConnected) {
		t.Errorf("error %v, want not_connected", err)
	}
	w.proxy.Set(fault.Conduct{})
	var moved atomic.Int64
	if err := upload(product.Open(t, c, target), 1, 1000, &moved); err != nil {
		t.Error(err)
	}
}

// TestSwallowedUpgrade: a proxy takes the upgrade and never answers; the attempt is given
// up, and the next one comes through.
func TestSwallowedUpgrade(t *testing.T) {
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	dial := dialer(w.proxy.Addr)
	var hasty atomic.Bool
	c, states := newClient(t, func(ctx context.Context) (link.Carrier, error) {
		if hasty.Load() { // the client's own patience is 15 s, which is left to attempts that are to come through
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
		}
		return dial(ctx)
	})
	s := product.Open(t, c, target)
	if _, err := io.WriteString(s, "echo\n"); err != nil {
		t.Fatal(err)
	}
	from := states.count()
	hasty.Store(true)
	w.proxy.Set(fault.Conduct{Swallow: true})
	w.proxy.Cut(fault.Reset)
	states.await(t, from, "a failed attempt", func(s client.State) bool { return s.Phase == client.Resuming && s.Attempt >= 2 })
	w.proxy.Set(fault.Conduct{})
	hasty.Store(false)
	say(t, s, "after")
}

// TestDeadCarrierIsFoundInTime: both ends of a carrier that died silently know it within
// the configured time.
func TestDeadCarrierIsFoundInTime(t *testing.T) {
	const keepalive = time.Second
	const most = 2*keepalive + 5*time.Second // for a machine that is busy; the default times are 10 s and 20 s
	w := newWorld(t, nil, "--keepalive", keepalive.String())
	target := product.Target(t, mover)
	c, states := w.client()
	product.Open(t, c, target).Close()
	for range scaled(3, 20) {
		from := states.count()
		began := time.Now()
		w.proxy.Cut(fault.Hole)
		states.await(t, from, "the client knows", is(client.Resuming))
		took := time.Since(began)
		states.await(t, from, "repaired", is(client.Open))
		if took > most {
			t.Errorf("found after %s, want at most %s", took, most)
		}
		t.Logf("found after %s with %s of silence allowed", took.Round(time.Millisecond), 2*keepalive)
	}
}

// TestIdleSessionIsNeverIdle: a middlebox that cuts what is idle has nothing to cut, by
// the product's own proportions: 10 s of keepalive, 30 s of patience.
func TestIdleSessionIsNeverIdle(t *testing.T) {
	for name, test := range map[string]struct {
		keepalive time.Duration
		cut       bool
	}{
		"with keepalive": {time.Second, false}, // a machine that is busy may be two seconds late
		"without":        {5 * time.Minute, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil, "--keepalive", test.keepalive.String())
			w.proxy.Set(fault.Conduct{Idle: 3 * time.Second})
			target := product.Target(t, mover)
			c, states := w.client()
			product.Open(t, c, target).Close()
			if test.cut {
				states.await(t, 0, "cut", is(client.Resuming))
				return
			}
			select {
			case <-time.After(scaled(8*time.Second, time.Minute)): // the time that nothing happens in
			case <-t.Context().Done():
			}
			if n := w.proxy.Idled(); n != 0 {
				t.Errorf("%d connections were cut for being idle", n)
			}
		})
	}
}

// TestClose: what was sent before the session's close arrives: every byte, again and again.
func TestClose(t *testing.T) {
	rounds := scaled(150, 5000)
	w := newWorld(t, nil)
	answers := make(chan string, 1)
	target := product.Target(t, recorder(answers))
	r := rand.New(rand.NewPCG(3, 4))
	for i := range rounds {
		c, _ := newClient(t, dialer(w.proxy.Addr))
		s := product.Open(t, c, target)
		n := int64(r.IntN(300_000))
		if _, err := io.CopyN(s, noise(uint64(i)), n); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		c.Close() // at once
		if got, want := <-answers, digest(uint64(i), n); got != want {
			t.Fatalf("round %d: the target got other bytes than the %d that were sent before the close (half of the rounds close the stream first: %v)", i, n, i%2 == 0)
		}
	}
	t.Logf("%d sessions closed", rounds)
}
