package link_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
)

func TestConfirm(t *testing.T) {
	t.Run("answered once", func(t *testing.T) {
		bubble(t, link.Config{}, func(t *testing.T, p *pair, _ *linktest.Carrier) {
			calls := 0
			p.a.Confirm(func() { calls++ })
			p.a.Probe(time.Second) // one PING answers both
			synctest.Wait()
			if calls != 1 {
				t.Errorf("called %d times at once", calls)
			}
			time.Sleep(time.Minute) // of the bubble: other PINGs are answered
			if calls != 1 {
				t.Errorf("called %d times", calls)
			}
		})
	})
	t.Run("not by a carrier that is dead", func(t *testing.T) {
		bubble(t, link.Config{}, func(t *testing.T, p *pair, a *linktest.Carrier) {
			a.Blackhole()
			p.a.Confirm(func() { t.Error("confirmed") })
			// The other end's run is cut by that, and may say so first.
			if first, second := <-p.errs, <-p.errs; !errors.Is(first, link.ErrSilent) && !errors.Is(second, link.ErrSilent) {
				t.Errorf("the runs ended with %v and %v", first, second)
			}
			p.join(t.Context()) // the question has ended with its run
			time.Sleep(time.Minute)
		})
	})
	t.Run("by the next run", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPair(t, link.Config{})
			calls := 0
			p.a.Confirm(func() { calls++ })
			p.join(t.Context())
			synctest.Wait()
			if calls != 1 {
				t.Errorf("called %d times", calls)
			}
			p.a.Close()
			p.b.Close()
			p.runs.Wait()
		})
	})
}

// TestFirstDeadAfter: an end that has not heard the other yet is patient with it, and then it
// is not.
func TestFirstDeadAfter(t *testing.T) {
	config := link.Config{PingAfter: time.Second, DeadAfter: 2 * time.Second, FirstDeadAfter: 20 * time.Second}
	for name, test := range map[string]struct {
		heard bool
		want  time.Duration
	}{"nothing was heard": {false, 20 * time.Second}, "something was heard": {true, 2 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := link.New(config)
				a, b := linktest.Pipe()
				began := time.Now()
				ended := make(chan error, 1)
				go func() { ended <- l.Run(t.Context(), a, 0) }()
				if test.heard {
					if err := b.Send(t.Context(), []byte{6, 0, 0, 0, 0, 0, 0, 0, 0}); err != nil { // PONG
						t.Fatal(err)
					}
				}
				if err := <-ended; !errors.Is(err, link.ErrSilent) {
					t.Errorf("the run ended with %v", err)
				}
				if took := time.Since(began); took != test.want {
					t.Errorf("it ended after %s, want %s", took, test.want)
				}
				if l.Heard() != test.heard {
					t.Errorf("Heard says %v", l.Heard())
				}
				l.Close()
			})
		})
	}
}
