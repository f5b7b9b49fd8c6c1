package resolver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// answers is a source of a test. It counts what it is asked.
type answers struct {
	mu    sync.Mutex
	asked []question
	give  func(context.Context, question) ([]netip.Addr, time.Duration, error)
}

func (a *answers) lookup(ctx context.Context, q question) (found, error) {
	a.mu.Lock()
	a.asked = append(a.asked, q)
	a.mu.Unlock()
	addrs, ttl, err := a.give(ctx, q)
	return found{addrs: addrs, ttl: ttl}, err
}

func (a *answers) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.asked)
}

func (*answers) close() {}

var one = []netip.Addr{netip.MustParseAddr("192.0.2.1")}

func TestCacheTimes(t *testing.T) {
	failed := &net.DNSError{Err: "server misbehaving", Name: "a.example", IsTemporary: true}
	for _, test := range []struct {
		name string
		ttl  time.Duration
		err  error
		want time.Duration
	}{
		{"as the zone says", time.Minute, nil, time.Minute},
		{"not at all", 0, nil, DefaultMinTTL},
		{"for a day", 24 * time.Hour, nil, DefaultMaxTTL},
		{"the system's", -1, nil, systemTTL},
		{"no such name", 5 * time.Second, notFound("a.example", ""), 5 * time.Second},
		{"no such name for a day", 24 * time.Hour, notFound("a.example", ""), maxNegativeTTL},
		{"no such name, the system says", -1, notFound("a.example", ""), systemTTL},
		{"failure", time.Hour, failed, failureTTL},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &answers{give: func(context.Context, question) ([]netip.Addr, time.Duration, error) {
					if test.err != nil {
						return nil, test.ttl, test.err
					}
					return one, test.ttl, nil
				}}
				r := open(t, Config{})
				r.source = source
				ask := func(want int) {
					t.Helper()
					answer, err := r.Lookup(t.Context(), "ip", "A.Example")
					if !errors.Is(err, test.err) || err == nil && !slices.Equal(answer.Addrs, one) {
						t.Errorf("%v, %v", answer.Addrs, err)
					}
					if source.count() != want {
						t.Errorf("%d lookups; want %d", source.count(), want)
					}
				}
				ask(1)
				<-time.After(test.want - time.Nanosecond)
				ask(1)
				<-time.After(time.Nanosecond)
				ask(2)
				got, want := r.Stats(), Stats{Hits: 1, Lookups: 2, Entries: 1}
				switch {
				case test.err == nil:
					want.Found = 2
				case isNotFound(test.err):
					want.NotFound = 2
				default:
					want.Failed = 2
				}
				if got != want {
					t.Errorf("%+v; want %+v", got, want)
				}
			})
		})
	}
}

// A hundred sockets to one name cost one lookup, and each caller may change what it got.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &answers{give: func(ctx context.Context, q question) ([]netip.Addr, time.Duration, error) {
			<-time.After(time.Second)
			return slices.Clone(one), time.Minute, nil
		}}
		r := open(t, Config{})
		r.source = source
		var group sync.WaitGroup
		for range 100 {
			group.Go(func() {
				answer, err := r.Lookup(t.Context(), "ip", "a.example")
				if err != nil || !slices.Equal(answer.Addrs, one) {
					t.Errorf("%v, %v", answer.Addrs, err)
					return
				}
				answer.Addrs[0] = netip.Addr{}
			})
		}
		group.Wait()
		if got, want := r.Stats(), (Stats{Shared: 99, Lookups: 1, Found: 1, Entries: 1}); got != want {
			t.Errorf("%+v; want %+v", got, want)
		}
		if _, err := r.Lookup(t.Context(), "ip", "a.example"); err != nil || r.Stats().Hits != 1 {
			t.Errorf("%v, %+v", err, r.Stats())
		}
	})
}

// A caller that leaves does not end the lookup for the others; the last one does, and its
// end is not remembered as a failure.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &answers{give: func(ctx context.Context, q question) ([]netip.Addr, time.Duration, error) {
			select {
			case <-time.After(5 * time.Second):
				return one, time.Minute, nil
			case <-ctx.Done():
				return nil, 0, &net.DNSError{Err: ctx.Err().Error(), Name: q.host}
			}
		}}
		r := open(t, Config{})
		r.source = source
		gone := errors.New("gone")
		leaver, leave := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { leave(gone) })
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := r.Lookup(leaver, "ip", "a.example"); !errors.Is(err, gone) || err.Error() != "lookup a.example: gone" {
				t.Errorf("%v", err)
			}
		})
		group.Go(func() {
			if _, err := r.Lookup(t.Context(), "ip", "a.example"); err != nil {
				t.Errorf("%v", err)
			}
		})
		group.Go(func() {
			if _, err := r.Lookup(leaver, "ip", "b.example"); !errors.Is(err, gone) {
				t.Errorf("%v", err)
			}
		})
		group.Wait()
		before := source.count()
		if answer, err := r.Lookup(t.Context(), "ip", "b.example"); err != nil || !slices.Equal(answer.Addrs, one) || source.count() != before+1 {
			t.Errorf("after the last caller has left: %v, %v, %d lookups more", answer.Addrs, err, source.count()-before)
		}
	})
}

func TestEntriesAreBounded(t *testing.T) {
	source := &answers{give: func(context.Context, question) ([]netip.Addr, time.Duration, error) { return one, time.Minute, nil }}
	r := open(t, Config{Entries: 3})
	r.source = source
	ask := func(host string, want int) {
		t.Helper()
		if _, err := r.Lookup(t.Context(), "ip", host); err != nil {
			t.Error(err)
		}
		if source.count() != want || r.Stats().Entries > 3 {
			t.Errorf("%s: %d lookups, want %d; %+v", host, source.count(), want, r.Stats())
		}
	}
	ask("a", 1)
	ask("b", 2)
	ask("c", 3)
	ask("a", 3) // now b was not asked for the longest
	ask("d", 4)
	ask("a", 4)
	ask("c", 4)
	ask("b", 5)
	r.Flush()
	if r.Stats().Entries != 0 {
		t.Errorf("%+v after a flush", r.Stats())
	}
	ask("a", 6)
}

func TestAddressesAreBounded(t *testing.T) {
	r := open(t, Config{})
	r.source = &answers{give: func(context.Context, question) ([]netip.Addr, time.Duration, error) {
		return slices.Repeat(one, 1000), time.Minute, nil
	}}
	if answer, err := r.Lookup(t.Context(), "ip", "a"); err != nil || len(answer.Addrs) != maxAddresses {
		t.Errorf("%d addresses, %v", len(answer.Addrs), err)
	}
}

// More lookups than may be under way wait, and fail in the end with an error that is not
// "no such host".
func TestLookupsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		r := open(t, Config{})
		r.source = &answers{give: func(ctx context.Context, q question) ([]netip.Addr, time.Duration, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-ctx.Done()
			time.Sleep(time.Millisecond) // of the bubble's clock: longer than any caller waits
			mu.Lock()
			now--
			mu.Unlock()
			return nil, 0, &net.DNSError{Err: "i/o timeout", Name: q.host, IsTimeout: true}
		}}
		var group sync.WaitGroup
		var waited int
		for i := range maxLookups + 10 {
			group.Go(func() {
				_, err := r.Lookup(t.Context(), "ip", fmt.Sprintf("host-%d", i))
				if err == nil || isNotFound(err) {
					t.Errorf("%v", err)
				} else if strings.HasSuffix(err.Error(), ": too many lookups at once") {
					mu.Lock()
					waited++
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if most != maxLookups || waited != 10 {
			t.Errorf("%d at once, %d that only waited", most, waited)
		}
	})
}

func TestClose(t *testing.T) {
	r, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{})
	r.source = &answers{give: func(ctx context.Context, q question) ([]netip.Addr, time.Duration, error) {
		close(began)
		<-ctx.Done()
		return nil, 0, &net.DNSError{Err: "ended", Name: q.host}
	}}
	done := make(chan error)
	go func() {
		_, err := r.Lookup(context.Background(), "ip", "a.example")
		done <- err
	}()
	<-began
	r.Close()
	if err := <-done; err == nil || err.Error() != "lookup a.example: ended" {
		t.Errorf("%v", err)
	}
	if _, err := r.Lookup(t.Context(), "ip", "a.example"); err == nil || err.Error() != "lookup a.example: the resolver is closed" {
		t.Errorf("%v", err)
	}
}

func TestNew(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{MinTTL: time.Minute, MaxTTL: time.Second}, "the bounds of the time that answers are kept for are 1m0s and 1s: want 0 or more, and the smaller one first"},
		{Config{MinTTL: -1}, "the bounds of the time that answers are kept for are -1ns and 5m0s: want 0 or more, and the smaller one first"},
		{Config{Entries: -1}, "the cache cannot have -1 entries"},
		{Config{Servers: []string{"x"}}, `"x" is no DNS server: want ADDRESS, ADDRESS:PORT or https://HOST/PATH`},
	} {
		if _, err := New(test.config); err == nil || err.Error() != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}
