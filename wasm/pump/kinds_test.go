package pump_test

import (
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/pump"
)

// TestNewKind: a kind in the table of readers is all that a new kind needs here. The server gets
// the request with that kind, and the reader's events come.
func TestNewKind(t *testing.T) {
	asked := make(chan wire.Request, 1)
	p := newPage(t, func(s *mux.Stream) {
		asked <- s.Request()
		_ = s.Reply(wire.Result{}) // fails with the session, as do these
		_, _ = s.Write([]byte("seventeen letters"))
		_ = s.Close()
	})
	p.pump.Open(1, pump.Request{Request: wire.Request{Kind: pump.Toy, Host: wire.ParseHost("example.org"), Port: 53}, Window: pump.Unlimited})
	p.pump.CloseWrite(1)
	if got := <-asked; got.Kind != pump.Toy || got.Port != 53 {
		t.Errorf("the server got %+v", got)
	}
	data, _, _, end := p.until(1)
	if string(data) != "17" || wire.Code(end.A) != wire.OK {
		t.Errorf("%q, %+v", data, end)
	}
}

// TestMissingKind: a kind that is not in the table is refused here, and the server gets no stream.
func TestMissingKind(t *testing.T) {
	p := newPage(t, func(s *mux.Stream) {
		t.Error("a stream came")
		_ = s.Close()
	})
	p.pump.Open(1, pump.Request{Request: wire.Request{Kind: wire.Control, Host: wire.ParseHost("example.org"), Port: 80}})
	_, _, _, end := p.until(1)
	if wire.Code(end.A) != wire.UnsupportedKind || !strings.Contains(string(end.Data), "control") {
		t.Errorf("%+v", end)
	}
}
