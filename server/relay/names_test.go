package relay

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/wire"
)

// world is a Resolver by name; a name without addresses does not exist.
func world(names map[string]string) lookup {
	return func(_ context.Context, _, host string) ([]netip.Addr, error) {
		var list []netip.Addr
		for text := range strings.FieldsSeq(names[host]) {
			list = append(list, netip.MustParseAddr(text))
		}
		if list == nil {
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
		return list, nil
	}
}

// An answer has the addresses that could be dialed at some port, and only these.
func TestNames(t *testing.T) {
	var list []policy.Rule
	for _, text := range []string{"10.1.0.0/16:5432", "172.29.0.0/16"} {
		rule, err := policy.ParseRule(true, text)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rule)
	}
	deny, err := policy.ParseRule(false, "denied.example")
	if err != nil {
		t.Fatal(err)
	}
	names := world(map[string]string{
		"both.example": "2003::1 8.8.8.8 2003::2", "mixed.example": "127.0.0.1 8.8.8.8 10.0.0.1 10.1.0.1", "private.example": "10.0.0.1",
		"cover.example": "172.29.1.1", "denied.example": "8.8.8.8",
	})
	for _, test := range []struct {
		host   string
		family uint8
		code   wire.Code
		want   string
		steps  string
	}{
		{"both.example", 0, wire.OK, "2003::1 8.8.8.8 2003::2", "policy, resolve, policy"},
		{"both.example", 4, wire.OK, "8.8.8.8", "policy, resolve, policy"},
		{"mixed.example", 0, wire.OK, "8.8.8.8 10.1.0.1", "policy, resolve, policy"},
		{"private.example", 0, wire.Denied, "private.example at 10.0.0.1 is denied: the address is not public (private, RFC 1918) and no rule allows it", "policy, resolve, policy denied"},
		{"cover.example", 0, wire.OK, "", "policy, resolve, policy"},
		{"denied.example", 0, wire.Denied, "denied.example is denied at every port", "policy denied"},
		{"none.example", 0, wire.NameNotFound, "none.example has no address", "policy, resolve name_not_found"},
		{"none.onion", 0, wire.NameNotFound, "none.onion has no address: no name there is in the DNS", "policy, resolve name_not_found"},
		{"8.8.8.8", 0, wire.OK, "8.8.8.8", "policy, policy"},
		{"8.8.8.8", 6, wire.AddressNotAvailable, "8.8.8.8 is no IPv6 address", "policy"},
		{"10.0.0.1", 0, wire.Denied, "10.0.0.1 is denied: the address is not public (private, RFC 1918) and no rule allows it", "policy denied"},
		{"127.1", 0, wire.InvalidRequest, "", "policy invalid_request"},
	} {
		w := new(recorder)
		r := New(Config{Policy: policy.New(append([]policy.Rule{deny}, list...)), Resolver: names, Events: w})
		p := newPage(t, wire.Request{Kind: wire.Resolve, Host: wire.ParseHost(test.host), Family: test.family})
		r.Serve(t.Context(), p)
		result := <-p.result
		got := result.Text
		if result.Code == wire.OK {
			p.mu.Lock()
			answer, err := client.ReadAddresses(&p.down.buffer)
			rest, _ := io.ReadAll(&p.down.buffer) // of a buffer: never fails
			if err != nil || len(rest) > 0 || !p.down.fin || !p.closed {
				t.Errorf("%s: %v, %d bytes more, fin %v, closed %v", test.host, err, len(rest), p.down.fin, p.closed)
			}
			p.mu.Unlock()
			var addrs []string
			for _, addr := range answer.Addrs {
				addrs = append(addrs, addr.String())
			}
			got = strings.Join(addrs, " ")
			if answer.TTL <= 0 {
				t.Errorf("%s: a ttl of %s", test.host, answer.TTL)
			}
		}
		if result.Code != test.code || got != test.want && test.code != wire.InvalidRequest {
			t.Errorf("%s: %s %q; want %s %q", test.host, result.Code, got, test.code, test.want)
		}
		if steps := stepsOf(w.All()); steps != test.steps {
			t.Errorf("%s: steps %s; want %s", test.host, steps, test.steps)
		}
		ends := w.ends()
		answered := slices.ContainsFunc(w.All(), func(e events.Event) bool { _, ok := e.(events.StreamAnswered); return ok })
		if len(ends) != 1 || ends[0].Code != test.code || ends[0].Remote.IsValid() || !answered || r.Active() != 0 {
			t.Errorf("%s: %+v, answered %v", test.host, ends, answered)
		}
	}
}

// A name is a lookup like any other: it ends with its time, and with the client.
func TestNamesEnd(t *testing.T) {
	asked := make(chan struct{}, 3)
	names := lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
		asked <- struct{}{}
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	r := local(t, Config{Resolver: names, DialTimeout: time.Hour})
	slow := wire.Request{Kind: wire.Resolve, Host: wire.ParseHost("slow.example")}
	start := func(ctx context.Context, request wire.Request) serving {
		s := serving{newPage(t, request), r, make(chan struct{})}
		go func() {
			defer close(s.done)
			r.Serve(ctx, s.page)
		}()
		<-asked
		return s
	}
	short := slow
	short.Timeout = time.Millisecond
	s := start(t.Context(), short)
	s.want(wire.TimedOut)
	s.wait()
	s = start(t.Context(), slow)
	s.reset(wire.Aborted)
	s.want(wire.Aborted)
	s.wait()
	ctx, cancel := context.WithCancelCause(t.Context())
	s = start(ctx, slow)
	cancel(wire.NewError(wire.Draining, "the server goes away"))
	s.want(wire.Draining)
	s.wait()
}

// The answer comes over a real session, and through the client's own call.
func TestNamesOverMux(t *testing.T) {
	session, _ := session(t, New(Config{Policy: policy.New(nil), Resolver: world(map[string]string{"a.example": "8.8.8.8"})}))
	for range 3 {
		stream, err := session.Open(wire.Request{Kind: wire.Resolve, Host: wire.ParseHost("a.example")})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		result, err := stream.Result(ctx)
		cancel()
		if err != nil || result.Code != wire.OK {
			t.Fatalf("%+v, %v", result, err)
		}
		answer, err := client.ReadAddresses(stream)
		if err != nil || len(answer.Addrs) != 1 || answer.TTL != time.Minute {
			t.Errorf("%+v, %v", answer, err)
		}
		if n, err := stream.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("behind the answer: %d bytes, %v", n, err)
		}
		_ = stream.Close()
	}
}

// reversed is a Resolver of names of addresses.
type reversed map[string]string

func (r reversed) Lookup(_ context.Context, network, host string) (resolver.Answer, error) {
	names, known := r[network+" "+host]
	if !known {
		return resolver.Answer{}, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return resolver.Answer{Names: strings.Fields(names), TTL: time.Minute}, nil
}

// The names of an address are for those who could dial it at some port. Nothing is asked for
// others, and what is no name is left out.
func TestNamesOfAnAddress(t *testing.T) {
	allow, err := policy.ParseRule(true, "10.1.0.0/16:5432")
	if err != nil {
		t.Fatal(err)
	}
	six := "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.3.0.0.2.ip6.arpa"
	names := reversed{
		"ptr 8.8.8.8.in-addr.arpa": "dns.example <script> 127.0.0.1 -a.example second.example", "ptr " + six: "six.example",
		"ptr 1.0.1.10.in-addr.arpa": "db.internal", "ptr 1.0.0.10.in-addr.arpa": "secret.internal",
		"ptr 9.8.8.8.in-addr.arpa": "300.300", "ptr 1.1.29.172.in-addr.arpa": "cover.example",
	}
	for _, test := range []struct {
		host  string
		code  wire.Code
		want  string
		steps string
	}{
		{"8.8.8.8.in-addr.arpa", wire.OK, "dns.example second.example", "policy, resolve"},
		{"8.8.8.8.IN-ADDR.ARPA.", wire.NameNotFound, "8.8.8.8.IN-ADDR.ARPA. has no name", "policy, resolve name_not_found"},
		{six, wire.OK, "six.example", "policy, resolve"},
		{"1.0.1.10.in-addr.arpa", wire.OK, "db.internal", "policy, resolve"},
		{"1.0.0.10.in-addr.arpa", wire.Denied, "10.0.0.1 is denied: the address is not public (private, RFC 1918) and no rule allows it", "policy denied"},
		{"9.8.8.8.in-addr.arpa", wire.NameNotFound, "8.8.8.9 has no name", "policy, resolve"},
		{"7.8.8.8.in-addr.arpa", wire.NameNotFound, "7.8.8.8.in-addr.arpa has no name", "policy, resolve name_not_found"},
		{"1.1.29.172.in-addr.arpa", wire.FakeAddress, "", "policy fake_address"},
		{"8.8.in-addr.arpa", wire.NameNotFound, "8.8.in-addr.arpa has no address", "policy, resolve name_not_found"},
	} {
		w := new(recorder)
		r := New(Config{Policy: policy.New([]policy.Rule{allow}), Resolver: names, Events: w})
		p := newPage(t, wire.Request{Kind: wire.Resolve, Host: wire.ParseHost(test.host)})
		r.Serve(t.Context(), p)
		result := <-p.result
		got := result.Text
		if result.Code == wire.OK {
			p.mu.Lock()
			answer, err := client.ReadAddresses(&p.down.buffer)
			p.mu.Unlock()
			if got = strings.Join(answer.Names, " "); err != nil || len(answer.Addrs) > 0 || answer.TTL <= 0 {
				t.Errorf("%s: %+v, %v", test.host, answer, err)
			}
		}
		if result.Code != test.code || got != test.want && test.code != wire.FakeAddress {
			t.Errorf("%s: %s %q; want %s %q", test.host, result.Code, got, test.code, test.want)
		}
		if steps := stepsOf(w.All()); steps != test.steps {
			t.Errorf("%s: steps %s; want %s", test.host, steps, test.steps)
		}
	}
}
