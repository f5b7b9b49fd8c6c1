package observe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// page is a relay.Stream as a page would use it.
type page struct {
	request wire.Request
	up      io.Reader
	down    bytes.Buffer
	result  wire.Result
	calls   []string
}

func (p *page) Request() wire.Request       { return p.request }
func (p *page) Reply(r wire.Result) error   { p.result = r; return nil }
func (p *page) Read(b []byte) (int, error)  { return p.up.Read(b) }
func (p *page) Write(b []byte) (int, error) { return p.down.Write(b) }
func (p *page) WaitReadable()               {}
func (p *page) Fill(put func([]byte) int) error {
	b := make([]byte, 64)
	p.down.Write(b[:put(b)])
	return nil
}
func (p *page) ClosedCleanly() bool               { return false }
func (p *page) Stopped() <-chan struct{}          { return nil }
func (p *page) CloseWrite() error                 { return p.called("CloseWrite") }
func (p *page) StopRead(code wire.Code) error     { return p.called("StopRead " + code.String()) }
func (p *page) Reset(c wire.Code, t string) error { return p.called("Reset " + c.String() + " " + t) }
func (p *page) Close() error                      { return p.called("Close") }

func (p *page) called(name string) error {
	p.calls = append(p.calls, name)
	return errors.New(name)
}

func newPage(host string, up string) *page {
	return &page{request: wire.Request{Kind: wire.TCP, Host: host, Port: 80}, up: bytes.NewBufferString(up)}
}

// only returns the one live stream.
func only(t *testing.T, o *Observer) Live {
	t.Helper()
	list, all := o.Live(10)
	if len(list) != 1 || all != 1 {
		t.Fatalf("%d of %d streams, want one", len(list), all)
	}
	return list[0]
}

func TestStreamLife(t *testing.T) {
	var answers []string
	o := New(Config{Opened: func(code wire.Code, took time.Duration) {
		if took <= 0 {
			t.Errorf("answered after %s", took)
		}
		answers = append(answers, code.String())
	}})
	p := newPage("one.test", "hello")
	s := o.Observe(p, Who{Session: "0102", Identity: "alice", Peer: "192.0.2.1:99"})
	if l := only(t, o); l.State != StateConnecting || l.Target != "one.test:80" || l.Who.Identity != "alice" || l.Opened != 0 || l.Began.IsZero() {
		t.Errorf("%+v", l)
	}
	remote := netip.MustParseAddrPort("198.51.100.7:80")
	if err := s.Reply(wire.Result{Code: wire.OK, Remote: remote}); err != nil || p.result.Remote != remote {
		t.Errorf("reply %+v, %v", p.result, err)
	}
	if l := only(t, o); l.State != StateOpen || l.Remote != remote || l.Opened <= 0 {
		t.Errorf("%+v", l)
	}
	if n, err := s.Write([]byte("an answer")); n != 9 || err != nil || p.down.String() != "an answer" {
		t.Errorf("wrote %d, %v: %q", n, err, p.down.String())
	}
	if up, err := io.ReadAll(s); string(up) != "hello" || err != nil {
		t.Errorf("read %q, %v", up, err)
	}
	if l := only(t, o); l.State != StatePageClosed || l.Up != 5 || l.Down != 9 {
		t.Errorf("%+v", l)
	}
	if err := s.CloseWrite(); err == nil || err.Error() != "CloseWrite" {
		t.Errorf("error %v", err)
	}
	if l := only(t, o); l.State != StateClosing {
		t.Errorf("%+v", l)
	}
	s.End()
	if list, all := o.Live(10); len(list) != 0 || all != 0 {
		t.Errorf("%d of %d streams after the end", len(list), all)
	}
	if up, down := o.Bytes(); up != 5 || down != 9 {
		t.Errorf("bytes %d, %d", up, down)
	}
	if fmt.Sprint(answers) != "[ok]" {
		t.Errorf("answers %v", answers)
	}
	if len(o.Refused()) != 0 {
		t.Errorf("refusals %v", o.Refused())
	}
}

func TestStreamStates(t *testing.T) {
	o := New(Config{})
	p := newPage("one.test", "")
	s := o.Observe(p, Who{})
	defer s.End()
	if err := s.Reply(wire.Result{}); err != nil {
		t.Fatal(err)
	}
	_ = s.CloseWrite()
	if l := only(t, o); l.State != StateTargetClosed {
		t.Errorf("%+v", l)
	}
	_ = s.StopRead(wire.Reset)
	if err := s.Reset(wire.Idle, "no byte"); err == nil || err.Error() != "Reset idle no byte" {
		t.Errorf("error %v", err)
	}
	if l := only(t, o); l.State != StateFailed {
		t.Errorf("%+v", l)
	}
	if err := s.Close(); err == nil || fmt.Sprint(p.calls) != "[CloseWrite StopRead reset Reset idle no byte Close]" {
		t.Errorf("calls %q, %v", p.calls, err)
	}
}

func TestRefusals(t *testing.T) {
	var told []string
	o := New(Config{Refused: func(s Stage, reason string) { told = append(told, string(s)+" "+reason) }})
	for _, code := range []wire.Code{wire.Denied, wire.Refused, wire.TimedOut, wire.Limit, wire.Denied} {
		s := o.Observe(newPage(code.String()+".test", ""), Who{Session: "0102"})
		if err := s.Reply(wire.Result{Code: code, Text: "because"}); err != nil {
			t.Fatal(err)
		}
		s.End()
	}
	o.Observe(newPage("given-up.test", ""), Who{}).End()
	o.Refuse(Refusal{Stage: StageUpgrade, Reason: "origin", Text: "not allowed"})

	// A port that nobody listens at is no refusal of ours.
	if got := fmt.Sprint(o.Refused()); got != "map[{stream denied}:2 {stream limit}:1 {upgrade origin}:1]" {
		t.Errorf("refused %s", got)
	}
	if got := fmt.Sprint(told); got != "[stream denied stream limit stream denied upgrade origin]" {
		t.Errorf("told %s", got)
	}
	list := o.Refusals()
	if len(list) != 4 || list[0].Stage != StageUpgrade || list[0].Time.IsZero() || list[3].Target != "denied.test:80" || list[3].Text != "because" || list[3].Who.Session != "0102" {
		t.Errorf("refusals %+v", list)
	}
}

func TestRefusalsAreBounded(t *testing.T) {
	o := New(Config{})
	for i := range 3 * recentRefusals {
		o.Refuse(Refusal{Stage: StageStream, Reason: "denied", Text: fmt.Sprint(i)})
	}
	list := o.Refusals()
	if len(list) != recentRefusals || list[0].Text != fmt.Sprint(3*recentRefusals-1) {
		t.Errorf("%d refusals, the newest %+v", len(list), list[0])
	}
	if n := o.Refused()[Reason{StageStream, "denied"}]; n != 3*recentRefusals {
		t.Errorf("%d counted", n)
	}
}

func TestLiveIsBounded(t *testing.T) {
	o := New(Config{})
	for i := range 5 {
		defer o.Observe(newPage(fmt.Sprintf("h%d.test", i), ""), Who{}).End()
	}
	list, all := o.Live(2)
	if all != 5 || len(list) != 2 || list[0].Target != "h0.test:80" || list[1].Target != "h1.test:80" {
		t.Errorf("%d of %d: %+v", len(list), all, list)
	}
}
