package hostile_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// What the server may take beside what it took before. A soak opens ten times as many
// streams. The race detector multiplies memory and gives none back, so the floods are also run
// without it.
const (
	spareGoroutines  = 10      // of timers and of the connection that measures
	spareDescriptors = 10      // as above
	spareHeap        = 8 << 20 // pools and buffers that are kept
)

// bound is how much the RSS may grow while it is attacked.
func bound() int64 {
	most := int64(scaled(256<<20, 1<<30))
	if product.Race {
		most *= 10
	}
	return most
}

// An attack sends what is wrong to a server, and counts it.
type attack struct {
	name string
	run  func(*testing.T)
}

// TestHostileInput has clients that keep no rule.
func TestHostileInput(t *testing.T) {
	where := startTargets(t)
	p := startServer(t, "--allow", where.echo.String(), "--allow", where.deaf.String())
	counts := new(table)
	attacked(t, p, where, counts, []attack{
		{"http", func(t *testing.T) { malformedHTTP(t, p, counts) }},
		{"slow loris", func(t *testing.T) { slowLoris(t, p, counts) }},
		{"frames", func(t *testing.T) { frames(t, p, counts) }},
		{"messages", func(t *testing.T) { messages(t, p, counts) }},
		{"random frames", func(t *testing.T) { randomFrames(t, p, counts) }},
		{"control frames", func(t *testing.T) { controlFloods(t, p, counts) }},
		{"slow sockets", func(t *testing.T) { slowSockets(t, p, counts) }},
		{"greetings", func(t *testing.T) { greetings(t, p, counts) }},
		{"link", func(t *testing.T) { violations(t, p, counts) }},
		{"link floods", func(t *testing.T) { linkFloods(t, p, counts) }},
		{"yamux", func(t *testing.T) { muxViolations(t, p, where, counts) }},
		{"tolerated", func(t *testing.T) { tolerated(t, p, where, counts) }},
		{"random yamux", func(t *testing.T) { randomMux(t, p, where, counts) }},
	})
}

// TestHostileFloods has clients that keep the rules and take all that they can.
func TestHostileFloods(t *testing.T) {
	where := startTargets(t)
	p := startServer(t, "--allow", where.echo.String(), "--allow", where.deaf.String())
	counts := new(table)
	attacked(t, p, where, counts, []attack{
		{"paced", func(t *testing.T) { paced(t, p, where, counts) }},
		{"floods", func(t *testing.T) { floods(t, p, where, counts) }},
		{"unread", func(t *testing.T) { unread(t, p, where, counts) }},
	})
}

// TestHostileForeigners has clients of foreign protocols that keep no rule.
func TestHostileForeigners(t *testing.T) {
	where := startTargets(t)
	p := startServer(t, "--allow-yamux", "--allow-posix", "--allow", where.echo.String(), "--allow", where.deaf.String())
	counts := new(table)
	attacked(t, p, where, counts, []attack{
		{"plain yamux", func(t *testing.T) { plainViolations(t, p, where, counts) }},
		{"plain floods", func(t *testing.T) { plainFloods(t, p, where, counts) }},
		{"plain unread", func(t *testing.T) { plainUnread(t, p, where, counts) }},
		{"posix calls", func(t *testing.T) { posixCalls(t, p, where, counts) }},
		{"posix floods", func(t *testing.T) { posixFloods(t, p, where, counts) }},
	})
}

// TestHostileTargets has targets and strangers that keep no rule, and clients that send datagrams.
func TestHostileTargets(t *testing.T) {
	where := startTargets(t)
	p := startServer(t, "--allow-listen", "udp://127.0.0.1:*", "--allow", "udp://127.0.0.0/8", "--allow", "127.0.0.1")
	counts := new(table)
	attacked(t, p, where, counts, []attack{
		{"websocket targets", func(t *testing.T) { hostileTargets(t, p, counts) }},
		{"datagram records", func(t *testing.T) { datagramRecords(t, p, counts) }},
		{"datagram floods", func(t *testing.T) { datagramFloods(t, p, counts) }},
		{"amplification", func(t *testing.T) { datagramAmplified(t, p, counts) }},
		{"udp sockets", func(t *testing.T) { datagramSockets(t, p, counts) }},
		{"strangers", func(t *testing.T) { strangerFloods(t, p, counts) }},
	})
}

// TestHostileListening has clients that take all that they can of what listening needs, and
// strangers that connect to them. A neighbor listens, too.
func TestHostileListening(t *testing.T) {
	where := startTargets(t)
	ports := portRange()
	p := startServer(t, "--allow", where.echo.String(), "--allow-listen", "tcp://127.0.0.1:1024-65535", "--allow-listen", "tcp://"+ports.rule())
	beside := startNeighbor(p, withListener())
	servertest.Eventually(t, patience, "the neighbor listens", func() bool { return p.Metric(t, "sockmux_listeners") == neighborListeners })
	counts := new(table)
	attacked(t, p, where, counts, []attack{
		{"listeners", func(t *testing.T) { listenersBeyond(t, p, counts) }},
		{"ports", func(t *testing.T) { portsBeyond(t, p, ports, counts) }},
		{"requests", func(t *testing.T) { listenRequests(t, p, counts) }},
		{"backlogs", func(t *testing.T) { backlogs(t, p, counts) }},
		{"connections", func(t *testing.T) { incomingFloods(t, p, counts) }},
		{"early ends", func(t *testing.T) { incomingEnds(t, p, counts) }},
		{"numbers", func(t *testing.T) { acceptNumbers(t, p, counts) }},
	})
	if err := beside.end(); err != nil {
		t.Errorf("the neighbor that listens: %v", err)
	}
	t.Logf("the neighbor that listens: %d exchanges, the slowest took %s", beside.exchanges, beside.slowest.Round(time.Millisecond))
}

// attacked sends everything to one server, beside a session that goes on, and looks at what is
// left of the server.
func attacked(t *testing.T, p *process, where targets, counts *table, attacks []attack) {
	t.Helper()
	_ = p.greet(t).bye() // what is made once is there
	p.Measure(t)
	before := p.Measure(t)

	var peak atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			peak.Store(max(peak.Load(), p.RSS()))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	beside := startNeighbor(p, withEcho(where.echo))
	for _, attack := range attacks {
		began := time.Now()
		t.Run(attack.name, attack.run)
		t.Logf("%-14s %5.1f s, the neighbor's slowest exchange %s, then %s", attack.name, time.Since(began).Seconds(), time.Duration(beside.recent.Swap(0)).Round(time.Millisecond), p.Measure(t))
	}
	close(stop)
	<-stopped
	if err := beside.end(); err != nil {
		t.Errorf("the neighbor: %v", err)
	}

	after := p.Measure(t)
	for deadline := time.Now().Add(patience); !calm(before, after); after = p.Measure(t) { // polls, bounded
		if time.Now().After(deadline) {
			t.Errorf("before: %s; after: %s", before, after)
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if grown := peak.Load() - before.RSS; grown > bound() {
		t.Errorf("the server grew by %d MiB, want %d at most", grown>>20, bound()>>20)
	}
	t.Logf("before: %s", before)
	t.Logf("peak: RSS %d MiB", peak.Load()>>20)
	t.Logf("after:  %s", after)
	t.Logf("the neighbor: %d exchanges, %d MiB, each with its digest; the slowest took %s", beside.exchanges, beside.bytes>>20, beside.slowest.Round(time.Millisecond))
	t.Logf("what was tried:\n%s", counts)
}

// calm reports whether a server is as it was.
func calm(before, after product.Figures) bool {
	return after.Goroutines <= before.Goroutines+spareGoroutines && after.Descriptors <= before.Descriptors+spareDescriptors && after.Heap <= before.Heap+spareHeap
}
