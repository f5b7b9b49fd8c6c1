package auth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"time"
)

// How keys are fetched from a URL.
const (
	keysFresh   = 15 * time.Minute // for which keys are used without asking again: so long a withdrawn key may still be taken
	keysStale   = 6 * time.Hour    // for which keys are used that cannot be fetched again: an outage of the issuer is no outage of the server
	keysPause   = 30 * time.Second // between two fetches: tokens with made-up key ids make no flood of them
	keysTimeout = 10 * time.Second
	maxKeysSize = 1 << 20
)

// KeySource gives the keys that JWTs are checked with: KeyFile or KeyURL. Any number of
// goroutines may use one.
type KeySource interface {
	// keys returns the present keys; of a URL, again fetched ones if they are old. fresh
	// asks for newer ones, because a token names a key that is not there.
	keys(ctx context.Context, fresh bool) (keys, error)
	// present returns the keys that keys returned last.
	present() keys
}

// KeyFile is a file of keys: PEM public keys or certificates, a JWK, or a JWK set.
// Secrets for HS256 are JWKs of the type oct.
type KeyFile struct {
	path string
	set  atomic.Pointer[keys]
}

// OpenKeyFile reads a file of keys. Errors name the file.
func OpenKeyFile(path string) (*KeyFile, error) {
	f := &KeyFile{path: path}
	if err := f.Reload(); err != nil {
		return nil, err
	}
	return f, nil
}

// Secret reports whether one of the keys is a secret (HS256): a program that can read the file
// can make tokens.
func (f *KeyFile) Secret() bool { return f.present().hasAlgorithm(hs256) }

// Reload reads the file again. On an error the keys stay as they are. Tokens of a key
// that is no longer there are revoked.
func (f *KeyFile) Reload() error {
	data, err := readFile(f.path)
	if err != nil {
		return fmt.Errorf("reading the key file: %w", err)
	}
	set, err := parseKeys(data)
	if err != nil {
		return fmt.Errorf("%s: %w", f.path, err)
	}
	f.set.Store(&set)
	return nil
}

func (f *KeyFile) keys(context.Context, bool) (keys, error) { return *f.set.Load(), nil }
func (f *KeyFile) present() keys                            { return *f.set.Load() }

// KeyURL is a JWK set at a URL. It is fetched when the first token comes, again when it
// is 15 minutes old, and, at most every 30 seconds, when a token names a key that is not
// in it. If it cannot be fetched, what was fetched last is good for six hours.
type KeyURL struct {
	url    string
	client *http.Client
	turn   chan struct{} // capacity 1: filled by the one that fetches

	last atomic.Pointer[fetched]
	// Both belong to the holder of turn.
	tried  time.Time
	failed error
}

type fetched struct {
	set  keys
	when time.Time
}

// NewKeyURL returns the keys at a URL, which must be https, but for a loopback address.
// transport may be nil: then proxies of the environment and the system's certificates are
// used. Nothing is fetched yet.
func NewKeyURL(address string, transport http.RoundTripper) (*KeyURL, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("the URL of the keys: %w", err)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, fmt.Errorf("the URL of the keys, %q, does not have the form https://HOST/PATH", u.Redacted())
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("the URL of the keys, %q, is not https: a changed answer could make tokens valid", u.Redacted())
	}
	client := &http.Client{
		Transport: transport,
		Timeout:   keysTimeout,
		// What answers elsewhere is for the operator to name: a redirect could lead away
		// from https or into the server's own network.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &KeyURL{url: address, client: client, turn: make(chan struct{}, 1)}, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (k *KeyURL) present() keys {
	if last := k.last.Load(); last != nil {
		return last.set
	}
	return nil
}

func (k *KeyURL) keys(ctx context.Context, fresh bool) (keys, error) {
	seen := k.last.Load()
	if seen != nil && !fresh && time.Since(seen.when) < keysFresh {
		return seen.set, nil
	}
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	last := k.last.Load()
	if last != seen {
		return last.set, nil // another goroutine fetched while this one waited
	}
	if k.tried.IsZero() || time.Since(k.tried) >= keysPause {
		k.tried = time.Now()
		var set keys
		// Not ended with ctx, else a client that gives up at once would use up the one
		// fetch that there is in a while; the client's own timeout ends it.
		if set, k.failed = k.fetch(context.WithoutCancel(ctx)); k.failed == nil {
			last = &fetched{set: set, when: k.tried}
			k.last.Store(last)
		}
	}
	if last == nil || time.Since(last.when) >= keysStale {
		return nil, k.failed
	}
	return last.set, nil
}

func (k *KeyURL) fetch(ctx context.Context) (keys, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetching the keys: %w", err)
	}
	defer response.Body.Close()
	name := request.URL.Redacted()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching the keys: %s answers %s", name, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxKeysSize+1))
	if err != nil {
		return nil, fmt.Errorf("fetching the keys: reading the answer of %s: %w", name, err)
	}
	if len(body) > maxKeysSize {
		return nil, fmt.Errorf("fetching the keys: the answer of %s has more than %d bytes", name, maxKeysSize)
	}
	set, err := parseJWKs(body, false)
	if err != nil {
		return nil, fmt.Errorf("fetching the keys: the answer of %s: %w", name, err)
	}
	return set, nil
}
