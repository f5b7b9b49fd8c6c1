package resolver

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

// flight is a lookup under way, which any number of callers wait for. It ends when it is
// answered or when the last of them has left.
type flight struct {
	cancel  context.CancelFunc
	done    chan struct{} // closed when answer is there
	answer  answer
	waiters int // under Resolver.mu
}

// answer is what a lookup found. Its slices are not changed.
type answer struct {
	addrs   []netip.Addr
	names   []string
	aliases []string
	until   time.Time // for which it is good
	err     error
}

// result is a caller's own.
func (a answer) result() (Answer, error) {
	return Answer{slices.Clone(a.addrs), slices.Clone(a.names), slices.Clone(a.aliases), max(time.Until(a.until), 0)}, a.err
}

// begin starts a lookup. Resolver.mu is held.
func (r *Resolver) begin(q question) *flight {
	ctx, cancel := context.WithTimeout(r.life, lookupTimeout)
	f := &flight{cancel: cancel, done: make(chan struct{})}
	r.underway[q] = f
	r.flights.Go(func() {
		defer cancel()
		r.fly(ctx, q, f)
	})
	return f
}

// leave takes a caller off a lookup, and ends the lookup with the last.
func (r *Resolver) leave(q question, f *flight) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		f.cancel()
		r.forget(q, f)
	}
}

// forget lets the next caller begin anew. Resolver.mu is held.
func (r *Resolver) forget(q question, f *flight) {
	if r.underway[q] == f {
		delete(r.underway, q)
	}
}

// fly looks up and remembers what it found.
func (r *Resolver) fly(ctx context.Context, q question, f *flight) {
	ttl := time.Duration(0)
	f.answer.err = &net.DNSError{Err: "too many lookups at once", Name: q.host, IsTemporary: true, IsTimeout: true}
	select {
	case r.slots <- struct{}{}:
		if ctx.Err() == nil {
			var result found
			result, f.answer.err = r.source.lookup(ctx, q)
			f.answer.addrs, f.answer.names, f.answer.aliases, ttl = result.addrs, result.names, result.aliases, result.ttl
		}
		<-r.slots
	case <-ctx.Done():
	}
	if len(f.answer.addrs) > maxAddresses {
		f.answer.addrs = f.answer.addrs[:maxAddresses]
	}
	if len(f.answer.names) > maxNames {
		f.answer.names = f.answer.names[:maxNames]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f.answer.until = time.Now().Add(r.keep(ttl, f.answer.err))
	if r.underway[q] == f { // else the last caller has left, and the error is only that
		r.forget(q, f)
		r.cache.put(q, f.answer)
	}
	switch {
	case isNotFound(f.answer.err):
		r.stats.NotFound++
	case f.answer.err != nil:
		r.stats.Failed++
	default:
		r.stats.Found++
	}
	close(f.done)
}

// keep is for how long an answer is used.
func (r *Resolver) keep(ttl time.Duration, err error) time.Duration {
	switch {
	case err != nil && !isNotFound(err):
		return failureTTL
	case ttl < 0:
		ttl = systemTTL
	}
	if err != nil {
		ttl = min(ttl, maxNegativeTTL)
	}
	return min(max(ttl, r.minTTL), r.maxTTL)
}
