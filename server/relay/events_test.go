package relay

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// stepsOf are the steps as STEP ADDRESS CODE, in the order of their ends.
func stepsOf(list []events.Event) string {
	var steps []string
	for _, e := range list {
		step, ok := e.(events.StreamStep)
		if !ok {
			continue
		}
		text := string(step.Step)
		if step.To.IsValid() {
			text += " " + step.To.Addr().String()
		}
		if step.Err != nil {
			text += " " + step.Code.String()
		}
		steps = append(steps, text)
	}
	return strings.Join(steps, ", ")
}

// Each way that a stream can take is recorded from its request to its end.
func TestEvents(t *testing.T) {
	good := listen(t, func(conn *net.TCPConn) { _, _ = conn.Write([]byte("hello")) })
	closed := refusing(t)
	names := lookup(func(ctx context.Context, _, host string) ([]netip.Addr, error) {
		switch host {
		case "good.example":
			return []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("127.0.0.1")}, nil
		case "private.example":
			return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
		}
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	})
	for _, test := range []struct {
		host    string
		to      target
		code    wire.Code
		refusal bool
		steps   string
		down    int64
	}{
		{"good.example", good, wire.OK, false, "policy, resolve, policy, dial 127.0.0.1", 5},
		{"127.0.0.1", good, wire.OK, false, "policy, policy, dial 127.0.0.1", 5},
		{"127.0.0.1", closed, wire.Refused, false, "policy, policy, dial 127.0.0.1 refused", 0},
		{"private.example", good, wire.Denied, true, "policy, resolve, policy denied", 0},
		{"10.0.0.1", good, wire.Denied, true, "policy denied", 0},
		{"none.example", good, wire.NameNotFound, false, "policy, resolve name_not_found", 0},
		{"127.1", good, wire.InvalidRequest, true, "policy invalid_request", 0},
	} {
		w := new(recorder)
		p := newPage(t, wire.Request{Kind: wire.TCP, Host: wire.ParseHost(test.host), Port: test.to.addr.Port()})
		p.fin()
		who := events.Client{Session: "0102"}
		local(t, Config{Resolver: names, Events: w}).ServeOn(t.Context(), p, Terms{Client: who})
		list := w.All()
		if got := stepsOf(list); got != test.steps {
			t.Errorf("%s: %s, want %s", test.host, got, test.steps)
		}
		opened, first := list[0].(events.StreamOpened)
		end, last := list[len(list)-1].(events.StreamEnded)
		if !first || !last || opened.Stream != end.Stream || opened.Client != who || end.Client != who {
			t.Fatalf("%s: %+v", test.host, list)
		}
		answers := 0
		for _, e := range list {
			if a, ok := e.(events.StreamAnswered); ok {
				answers++
				if a.Code != test.code || (a.Refusal != nil) != test.refusal || a.Took <= 0 {
					t.Errorf("%s: %+v", test.host, a)
				}
			}
		}
		if answers != 1 || end.Code != test.code || (end.Err == nil) != (test.code == wire.OK) || end.Down != test.down || end.Duration <= 0 {
			t.Errorf("%s: %d answers, %+v", test.host, answers, end)
		}
		if dialed := strings.Contains(test.steps, "dial"); dialed && end.Dialed != test.to.addr || dialed == !end.Dialed.IsValid() || end.Remote.IsValid() != (test.code == wire.OK) {
			t.Errorf("%s: %+v", test.host, end)
		}
	}
}

// A limit that ends a stream is recorded by its name.
func TestEventOfALimit(t *testing.T) {
	w := new(recorder)
	p := newPage(t, wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: listen(t, echo).addr.Port()})
	local(t, Config{Events: w}).ServeOn(t.Context(), p, Terms{Lifetime: time.Millisecond})
	if ends := w.ends(); len(ends) != 1 || ends[0].Limit != limit.StreamLifetime || ends[0].Code != wire.Limit || !ends[0].Remote.IsValid() {
		t.Errorf("%+v", ends)
	}
}

// What a client claims in a reset is no refusal of the server.
func TestAResetIsNoRefusal(t *testing.T) {
	asked := make(chan struct{})
	names := lookup(func(ctx context.Context, _, _ string) ([]netip.Addr, error) {
		close(asked)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	r := local(t, Config{Resolver: names, DialTimeout: time.Hour})
	s := serve(t, t.Context(), r, "slow.example", 80)
	<-asked
	s.reset(wire.Unauthorized)
	s.want(wire.Aborted)
	s.wait()
	for _, e := range r.events.(*recorder).All() {
		if refusing, ok := events.RefusingOf(e); ok {
			t.Errorf("%+v", refusing)
		}
	}
}

// Close waits for streams, then cuts those that do not end.
func TestClose(t *testing.T) {
	r := local(t, Config{})
	s := serve(t, t.Context(), r, "127.0.0.1", listen(t, untilEnd).addr.Port())
	s.want(wire.OK)
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error)
	go func() { closed <- r.Close(ctx) }()
	cancel()
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v", err)
	}
	s.wait()
	if got := ended(r); got[wire.Draining] != 1 {
		t.Errorf("ended %v, want one draining", got)
	}
	serve(t, t.Context(), r, "127.0.0.1", 80).want(wire.Draining)
}
