//go:build !js

package sockmux_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// resolver is what programs use of a *net.Resolver. A Dialer answers as one that asks the same DNS
// server.
type resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

var (
	_ resolver = (*sockmux.Dialer)(nil)
	_ resolver = (*net.Resolver)(nil)
)

// TestLookups: the answers and errors are those of a net.Resolver.
func TestLookups(t *testing.T) {
	dns := product.DNS{Zone: product.Zone{
		"two.test.":               {"A 127.0.0.1", "A 127.0.0.2", "AAAA ::1"},
		"alias.test.":             {"CNAME two.test.", "A 127.0.0.1"},
		"four.test.":              {"A 127.0.0.1"},
		"1.2.0.192.in-addr.arpa.": {"PTR one.test.", "PTR other.test."},
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.": {"PTR six.test."},
	}}.Serve(t, "127.0.0.1:0")
	d := dialerFor(t, product.Start(t, "--allow", "127.0.0.0/8", "--allow", "[::1]", "--allow", "192.0.2.0/24", "--allow", "[2001:db8::1]", "--dns", dns))
	native := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, dns)
	}}
	for _, test := range []struct {
		what string
		ask  func(resolver) (any, error)
	}{
		{"two addresses and one", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "two.test")) }},
		{"a name with its dot", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "two.test.")) }},
		{"an alias", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "alias.test")) }},
		{"an address", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "127.0.0.9")) }},
		{"an address of IPv6", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "::1")) }},
		{"no name", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "")) }},
		{"an unknown name", func(r resolver) (any, error) { return inOrder(r.LookupHost(t.Context(), "unknown.test")) }},
		{"no address of the family", func(r resolver) (any, error) { return r.LookupNetIP(t.Context(), "ip6", "four.test") }},
		{"addresses of a family", func(r resolver) (any, error) { return r.LookupNetIP(t.Context(), "ip6", "two.test") }},
		{"names", func(r resolver) (any, error) { return inOrder(r.LookupAddr(t.Context(), "192.0.2.1")) }},
		{"names of IPv6", func(r resolver) (any, error) { return inOrder(r.LookupAddr(t.Context(), "2001:db8::1")) }},
		{"no names", func(r resolver) (any, error) { return inOrder(r.LookupAddr(t.Context(), "192.0.2.77")) }},
		{"names of no address", func(r resolver) (any, error) { return inOrder(r.LookupAddr(t.Context(), "two.test")) }},
	} {
		want, wantErr := test.ask(native)
		got, err := test.ask(d)
		if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
			t.Errorf("%s: %s, want %s", test.what, g, w)
		}
		var is, wants *net.DNSError
		if errors.As(err, &is) != errors.As(wantErr, &wants) {
			t.Errorf("%s: %v, want %v", test.what, err, wantErr)
		} else if is != nil && (is.IsNotFound != wants.IsNotFound || is.IsTemporary != wants.IsTemporary || is.IsTimeout != wants.IsTimeout || is.Name != wants.Name && !strings.HasSuffix(wants.Name, ".arpa.")) { // Go's own resolver names the question
			t.Errorf("%s: %#v, want %#v", test.what, is, wants)
		}
	}
}

// TestLookupErrors: why the server gives no answer can be found in the error.
func TestLookupErrors(t *testing.T) {
	asked := make(chan string, 100)
	dns := product.DNS{Unknown: func(name string) { asked <- name }}.Serve(t, "127.0.0.1:0")
	server := product.Start(t, "--deny", "denied.test", "--dns", dns)
	d := dialerFor(t, server)
	var dnsError *net.DNSError
	var coded *wire.Error
	for _, test := range []struct {
		what string
		ask  func() ([]string, error)
		is   error
	}{
		{"a name that is denied", func() ([]string, error) { return d.LookupHost(t.Context(), "denied.test") }, syscall.EACCES},
		{"an address that is denied", func() ([]string, error) { return d.LookupAddr(t.Context(), "127.0.0.1") }, syscall.EACCES},
	} {
		_, err := test.ask()
		if !errors.Is(err, test.is) || !errors.As(err, &dnsError) || !errors.As(err, &coded) || dnsError.IsNotFound {
			t.Errorf("%s: %#v", test.what, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := d.LookupHost(ctx, "silent.test")
		ended <- err
	}()
	<-asked
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !errors.As(err, &dnsError) {
		t.Errorf("canceled: %v", err)
	}
	late := &sockmux.Dialer{URL: server.URL(), Timeout: 50 * time.Millisecond}
	defer late.Close()
	if _, err := late.LookupHost(t.Context(), "silent.test"); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &dnsError) || !dnsError.IsTimeout {
		t.Errorf("too late: %v", err)
	}
	if err := late.Close(); err != nil {
		t.Error(err)
	}
	if _, err := late.LookupHost(t.Context(), "two.test"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed Dialer: %v", err)
	}
}

// inOrder sorts an answer: which address comes first is the resolver's choice.
func inOrder(texts []string, err error) ([]string, error) {
	slices.Sort(texts)
	return texts, err
}
