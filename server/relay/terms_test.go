package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// overTerms opens a stream to the target on those terms, and waits until the relay has
// served it when the test ends.
func overTerms(t *testing.T, r *Relay, terms Terms, target target) *mux.Stream {
	t.Helper()
	client, _ := sessionOf(t, func(ctx context.Context, s *mux.Stream) { r.Start(ctx, s, terms, s.Detach()) })
	return over(t, client, target)
}

// TestStartReturnsWithTheAnswer: what follows is done without its caller, who is told of
// the end once.
func TestStartReturnsWithTheAnswer(t *testing.T) {
	r := local(t, Config{})
	returned, done := make(chan struct{}), make(chan struct{})
	client, _ := sessionOf(t, func(ctx context.Context, s *mux.Stream) {
		release := s.Detach()
		r.Start(ctx, s, Terms{}, func() {
			release()
			close(done)
		})
		close(returned)
	})
	stream := over(t, client, listen(t, echo))
	<-returned
	select {
	case <-done:
		t.Fatal("done before the end")
	default:
	}
	if _, err := stream.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := stream.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(stream); err != nil || string(b) != "hello" {
		t.Errorf("echo: %q, %v", b, err)
	}
	<-done
	if up, down := r.Bytes(); r.Active() != 0 || up != 5 || down != 5 {
		t.Errorf("at the end: %d active, %d and %d bytes", r.Active(), up, down)
	}
}

func TestPolicyOfTheTerms(t *testing.T) {
	r := New(Config{Policy: policy.New(nil)})
	stream := overTerms(t, r, Terms{Policy: rules(t, "127.0.0.0/8")}, listen(t, echo))
	stream.Close()
	client, _ := session(t, r)
	stream, err := client.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: 1})
	if err != nil {
		t.Fatal(err)
	}
	if result, err := stream.Result(t.Context()); err != nil || result.Code != wire.Denied {
		t.Errorf("on the relay's own terms: %+v, %v", result, err)
	}
}

func TestLifetime(t *testing.T) {
	r := local(t, Config{})
	stream := overTerms(t, r, Terms{Lifetime: 50 * time.Millisecond}, listen(t, echo))
	_, err := io.ReadAll(stream)
	if want := wire.NewError(wire.Limit, "the socket is open for 50ms, and may be no longer"); !errors.Is(err, want) || !strings.Contains(err.Error(), want.Text) {
		t.Errorf("ended with %v, want %v", err, want)
	}
	eventually(t, func() bool { return limits(r)[limit.StreamLifetime] == 1 })
}

// meter is a Meter with a number of bytes.
type meter struct{ left chan int }

func newMeter(bytes int) meter {
	m := meter{make(chan int, 1)}
	m.left <- bytes
	return m
}

func (meter) Begin() error    { return nil }
func (meter) Unbounded() bool { return false }
func (meter) Count(int)       {}

func (m meter) Take(_ context.Context, _ <-chan struct{}, n int) error {
	left := <-m.left
	m.left <- left - n
	if left < n {
		return limit.Refuse(limit.BytesPerDay, "spent")
	}
	return nil
}

// limits counts the streams that a limit has ended.
func limits(r *Relay) map[limit.Reason]int {
	counts := make(map[limit.Reason]int)
	for _, end := range r.events.(*recorder).ends() {
		counts[end.Limit]++
	}
	return counts
}

// Both directions draw on the same account; the end has the code limit and the limit's name.
func TestMeterRefuses(t *testing.T) {
	r := local(t, Config{})
	terms := Terms{Meter: newMeter(25), Client: events.Client{Identity: "alice"}}
	stream := overTerms(t, r, terms, listen(t, echo))
	if _, err := stream.Write([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stream, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write([]byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(stream); !errors.Is(err, wire.NewError(wire.Limit, "")) || !strings.Contains(err.Error(), "spent") {
		t.Errorf("ended with %v, want limit", err)
	}
	eventually(t, func() bool { return limits(r)[limit.BytesPerDay] == 1 })
	end := r.events.(*recorder).ends()[0]
	if end.Client.Identity != "alice" || end.Code != wire.Limit || end.Up != 10 || end.Down != 10 || end.Err.Error() != "limit: spent" {
		t.Errorf("%+v", end)
	}
}

// stuck is a Meter that lets nothing pass.
type stuck chan struct{}

func (stuck) Begin() error    { return nil }
func (stuck) Unbounded() bool { return false }
func (stuck) Count(int)       {}

func (s stuck) Take(ctx context.Context, stop <-chan struct{}, _ int) error {
	s <- struct{}{}
	select {
	case <-stop:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Who waits for the meter does not keep a stream from its end: that of the session, or of
// a page that reads no more.
func TestMeterWaits(t *testing.T) {
	waiting := make(stuck, 2)
	r := local(t, Config{})
	terms := Terms{Meter: waiting}
	talker := listen(t, func(conn *net.TCPConn) {
		_, _ = conn.Write([]byte("hello"))
		_, _ = io.Copy(io.Discard, conn)
	})
	client, server := sessionOf(t, func(ctx context.Context, s *mux.Stream) { r.ServeOn(ctx, s, terms) })
	stream := over(t, client, talker)
	if _, err := stream.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	<-waiting
	<-waiting
	server.Close()
	eventually(t, func() bool { return r.Active() == 0 })

	stream = overTerms(t, r, terms, talker)
	<-waiting
	stream.Close() // both ways, as close(2) does
	eventually(t, func() bool { return r.Active() == 0 })
}

// A real account at work: what is beyond the rate is late, and arrives.
func TestRate(t *testing.T) {
	const rate, total = 1 << 20, 1<<20 + 200<<10
	account, err := limit.NewCounters().Enter("alice", limit.Limits{BytesPerSecond: rate})
	if err != nil {
		t.Fatal(err)
	}
	data := random(total)
	r := local(t, Config{})
	began := time.Now()
	stream := overTerms(t, r, Terms{Meter: account}, listen(t, func(conn *net.TCPConn) { _, _ = conn.Write(data) }))
	got, err := io.ReadAll(stream)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// A second's worth passes at once, the other 200 KiB take 195 ms.
	if took := time.Since(began); took < 190*time.Millisecond {
		t.Errorf("took %s", took)
	}
}

// eventually waits for something that follows from what the page has seen.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("it never comes")
		}
		runtime.Gosched()
	}
}
