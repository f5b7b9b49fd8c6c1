package relay

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// watched is a Watcher that writes down what it is told.
type watched struct {
	mu      sync.Mutex
	steps   []string
	running int
	records []Record
	early   bool // the end came before that of a step
}

func (w *watched) Step(step Step, to netip.AddrPort) func(error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running++
	return func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.running--
		text := string(step)
		if to.IsValid() {
			text += " " + to.Addr().String()
		}
		if err != nil {
			text += " " + CodeOf(err).String()
		}
		w.steps = append(w.steps, text)
	}
}

func (w *watched) Served(r Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.early = w.early || w.running > 0
	w.records = append(w.records, r)
}

// Each way that a stream can take is told step by step, and its end is what the log line says.
func TestWatcher(t *testing.T) {
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
	r := local(t, Config{Resolver: names})
	for _, test := range []struct {
		host  string
		to    target
		code  wire.Code
		steps string
		down  int64
	}{
		{"good.example", good, wire.OK, "policy, resolve, policy, dial 127.0.0.1", 5},
		{"127.0.0.1", good, wire.OK, "policy, policy, dial 127.0.0.1", 5},
		{"127.0.0.1", closed, wire.Refused, "policy, policy, dial 127.0.0.1 refused", 0},
		{"private.example", good, wire.Denied, "policy, resolve, policy denied", 0},
		{"10.0.0.1", good, wire.Denied, "policy denied", 0},
		{"none.example", good, wire.NameNotFound, "policy, resolve name_not_found", 0},
		{"127.1", good, wire.InvalidRequest, "policy invalid_request", 0},
	} {
		w := new(watched)
		p := newPage(t, wire.Request{Kind: wire.TCP, Host: test.host, Port: test.to.addr.Port()})
		p.fin()
		r.ServeOn(t.Context(), p, Terms{Watcher: w})
		if got := strings.Join(w.steps, ", "); got != test.steps {
			t.Errorf("%s: %s, want %s", test.host, got, test.steps)
		}
		if len(w.records) != 1 || w.early || w.running != 0 {
			t.Fatalf("%s: %+v", test.host, w)
		}
		record := w.records[0]
		if record.Code != test.code || (record.Err == nil) != (test.code == wire.OK) || record.Down != test.down || record.Duration <= 0 {
			t.Errorf("%s: %+v", test.host, record)
		}
		if dialled := strings.Contains(test.steps, "dial"); dialled && record.Dialled != test.to.addr || dialled == !record.Dialled.IsValid() || record.Remote.IsValid() != (test.code == wire.OK) {
			t.Errorf("%s: %+v", test.host, record)
		}
	}
}

// A limit that ends a stream is told by its name.
func TestWatcherOfALimit(t *testing.T) {
	w := new(watched)
	p := newPage(t, wire.Request{Kind: wire.TCP, Host: "127.0.0.1", Port: listen(t, echo).addr.Port()})
	local(t, Config{}).ServeOn(t.Context(), p, Terms{Watcher: w, Lifetime: time.Millisecond})
	if len(w.records) != 1 || w.records[0].Limit != limit.StreamLifetime || w.records[0].Code != wire.Limit || !w.records[0].Remote.IsValid() {
		t.Errorf("%+v", w.records)
	}
}

// Where nobody watches, steps cost nothing.
func TestUnwatched(t *testing.T) {
	r := local(t, Config{})
	if n := testing.AllocsPerRun(100, func() { r.step(StepDial, netip.AddrPort{})(nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
