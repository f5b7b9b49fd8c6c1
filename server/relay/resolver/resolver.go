// Package resolver looks names up: with the system's resolver, with DNS servers of the
// operator's choice, or over HTTPS (RFC 8484), behind a cache that keeps a hundred
// sockets to one name from becoming a hundred queries.
package resolver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Defaults of Config.
const (
	// DefaultMinTTL holds answers that forbid caching for long enough to serve the burst
	// of sockets that one page opens.
	DefaultMinTTL = 2 * time.Second
	// DefaultMaxTTL bounds for how long a target that has moved is looked for at its old place.
	DefaultMaxTTL = 5 * time.Minute
	// DefaultEntries of at most some hundred bytes take a few megabytes.
	DefaultEntries = 10_000
)

// Bounds that need no setting.
const (
	maxNegativeTTL = 30 * time.Second // a name that was just made is to be found soon
	failureTTL     = time.Second      // RFC 9520, section 3.2: failures are to be cached for a second at least
	systemTTL      = 10 * time.Second // the system does not tell how old its answers may get
	lookupTimeout  = 12 * time.Second // of one lookup with all its attempts; callers have less patience, mostly
	maxLookups     = 256              // at once, each with two sockets: names made up by the thousand do not use up the file descriptors
	maxAddresses   = 64               // of one name; the relay tries fewer
)

// Config says how names are looked up. The zero value stands for the system's resolver
// and the defaults.
type Config struct {
	// Servers are asked in their order, the next one when one fails: ADDRESS or
	// ADDRESS:PORT of a DNS server (UDP, and TCP for long answers), or https://HOST/PATH
	// of a DoH server. Empty: the system's servers, with its hosts file. Names are never
	// completed by a search list.
	Servers []string
	MinTTL  time.Duration // an answer is used for so long at least; 0: DefaultMinTTL
	MaxTTL  time.Duration // and for so long at most; 0: DefaultMaxTTL
	Entries int           // that are kept at most; 0: DefaultEntries
	Lookups int           // at once, each with two sockets; 0: maxLookups

	// Transport carries DoH; nil: one of its own, which uses the proxies of the
	// environment, and the system's resolver for HOST.
	Transport http.RoundTripper
}

// Resolver looks names up and remembers the answers. Any number of goroutines may use it.
// It owns the goroutines that look up; Close waits for them.
type Resolver struct {
	source  source
	minTTL  time.Duration
	maxTTL  time.Duration
	slots   chan struct{} // filled by each lookup under way
	life    context.Context
	end     context.CancelFunc
	flights sync.WaitGroup

	mu       sync.Mutex // protects what follows
	cache    *cache
	underway map[question]*flight
	stats    Stats
	closed   bool
}

// Stats count lookups since the start.
type Stats struct {
	Hits     uint64 // answered from the cache
	Shared   uint64 // answered by a lookup that was under way
	Lookups  uint64 // that were begun
	Found    uint64 // lookups that gave an address
	NotFound uint64 // lookups whose name does not exist or has no address
	Failed   uint64 // lookups without an answer, those that were given up included
	Entries  int    // in the cache now
}

// question is what the cache knows an answer by.
type question struct {
	network string // "ip", "ip4", "ip6" or PTR
	host    string // lower case
}

// source answers questions.
type source interface {
	// lookup returns addresses and aliases, or names, or an error that is a *net.DNSError,
	// and for how long either is good; ttl is negative where that is not known.
	lookup(context.Context, question) (found, error)
	close()
}

// New returns a resolver. Errors name the server that cannot be one.
func New(config Config) (*Resolver, error) {
	r := &Resolver{
		source:   system{},
		minTTL:   cmp.Or(config.MinTTL, DefaultMinTTL),
		maxTTL:   cmp.Or(config.MaxTTL, DefaultMaxTTL),
		slots:    make(chan struct{}, cmp.Or(config.Lookups, maxLookups)),
		cache:    newCache(cmp.Or(config.Entries, DefaultEntries)),
		underway: make(map[question]*flight),
	}
	if r.minTTL < 0 || r.maxTTL < r.minTTL {
		return nil, fmt.Errorf("the bounds of the time that answers are kept for are %s and %s: want 0 or more, and the smaller one first", r.minTTL, r.maxTTL)
	}
	if r.cache.most < 0 {
		return nil, fmt.Errorf("the cache cannot have %d entries", config.Entries)
	}
	if len(config.Servers) > 0 {
		servers, err := parseServers(config.Servers, config.Transport)
		if err != nil {
			return nil, err
		}
		r.source = servers
	}
	r.life, r.end = context.WithCancel(context.Background()) // until Close
	return r, nil
}

// Answer is what a name resolves to.
type Answer struct {
	Addrs   []netip.Addr
	Names   []string      // of an address, in the form of Aliases
	Aliases []string      // that the host is an alias of (CNAME), in lower case, without a dot at their end
	TTL     time.Duration // for which the answer is good
}

// Lookup returns what a name resolves to, which must not be an address. It is taken as a whole: no
// search list completes it. network is "ip", "ip4" or "ip6", or PTR for the names of the address
// that Reverse finds in a name. The error is a *net.DNSError, with IsNotFound for a name that does
// not exist or has nothing of that kind, or wraps the cause of ctx. The caller owns the slices.
func (r *Resolver) Lookup(ctx context.Context, network, name string) (Answer, error) {
	if network != "ip" && network != "ip4" && network != "ip6" && network != PTR {
		return Answer{}, &net.DNSError{Err: fmt.Sprintf("network %q is none of ip, ip4, ip6 and ptr", network), Name: name}
	}
	q := question{network, strings.ToLower(name)}
	if network == PTR {
		addr, ok := Reverse(name)
		if !ok {
			return Answer{}, &net.DNSError{Err: "no name of an address", Name: name}
		}
		if addr.IsLoopback() {
			return Answer{Names: []string{"localhost"}, TTL: r.maxTTL}, nil
		}
	} else if addrs, known := known(q); known {
		return Answer{Addrs: addrs, TTL: r.maxTTL}, nil
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return Answer{}, &net.DNSError{Err: "the resolver is closed", Name: name}
	}
	if a, found := r.cache.get(q, time.Now()); found {
		r.stats.Hits++
		r.mu.Unlock()
		return a.result()
	}
	f := r.underway[q]
	if f == nil {
		f = r.begin(q)
		r.stats.Lookups++
	} else {
		r.stats.Shared++
	}
	f.waiters++
	r.mu.Unlock()

	select {
	case <-f.done:
		return f.answer.result()
	case <-ctx.Done():
		r.leave(q, f)
		return Answer{}, fmt.Errorf("lookup %s: %w", name, context.Cause(ctx))
	}
}

// known answers what no server is to be asked: the names of this machine (RFC 6761, section 6.3).
func known(q question) ([]netip.Addr, bool) {
	name := strings.TrimSuffix(q.host, ".")
	if name != "localhost" && !strings.HasSuffix(name, ".localhost") {
		return nil, false
	}
	four, six := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	switch q.network {
	case "ip4":
		return []netip.Addr{four}, true
	case "ip6":
		return []netip.Addr{six}, true
	}
	return []netip.Addr{six, four}, true
}

// Flush forgets every answer.
func (r *Resolver) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cache.flush()
}

// Stats returns the present figures.
func (r *Resolver) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Entries = r.cache.len()
	return s
}

// Close ends every lookup and waits for it. Lookups after it fail.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.end()
	r.flights.Wait()
	r.source.close()
}

// notFound is the error for a name without an address.
func notFound(host, server string) *net.DNSError {
	return &net.DNSError{Err: "no such host", Name: host, Server: server, IsNotFound: true}
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
