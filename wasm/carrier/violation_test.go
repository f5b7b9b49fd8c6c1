package carrier

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/shared/wire"
)

// TestViolation: what came before a violation is received, then its error.
func TestViolation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, c := dial(t)
		s.Message(1, []byte("before"))
		s.Violated(1, wire.Limit, "too long")
		if b, err := c.Receive(t.Context()); string(b) != "before" || err != nil {
			t.Errorf("got %q, %v", b, err)
		}
		var e *wire.Error
		if _, err := c.Receive(t.Context()); !errors.As(err, &e) || e.Code != wire.Limit || e.Text != "too long" {
			t.Errorf("got %v", err)
		}
		s.Violated(1, wire.Limit, "again")
		_ = c.Close(0, "") // never fails
	})
}
