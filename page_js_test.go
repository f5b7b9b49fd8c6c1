package sockmux

import (
	"errors"
	"syscall/js"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// TestPageStatus: the page's states are those of a Dialer, also while its wasm loads and after
// that has failed.
func TestPageStatus(t *testing.T) {
	why := map[string]any{"code": int(wire.NotConnected), "text": "no wasm"}
	for _, c := range []struct {
		state  string
		reason any
		want   State
		err    error
	}{
		{"idle", nil, StateIdle, nil},
		{"loading", nil, StateConnecting, nil},
		{"open", nil, StateOpen, nil},
		{"resuming", why, StateResuming, wire.NewError(wire.NotConnected, "")},
		{"failed", why, StateClosed, wire.NewError(wire.NotConnected, "")},
	} {
		p := page{js.ValueOf(map[string]any{"status": map[string]any{
			"state": c.state, "since": 1000, "attempt": 3, "reason": c.reason,
		}})}
		s := p.status()
		if s.State != c.want || !errors.Is(s.Err, c.err) || s.Since.UnixMilli() != 1000 || s.Attempt != 3 {
			t.Errorf("%s: %+v", c.state, s)
		}
	}
}
