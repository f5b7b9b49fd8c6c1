package fronts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestEndOf(t *testing.T) {
	for _, test := range []struct {
		err  error
		want wire.Code
	}{
		{io.EOF, wire.OK},
		{fmt.Errorf("read: %w", io.EOF), wire.OK},
		{fmt.Errorf("read: %w", wire.NewError(wire.Protocol, "text message")), wire.Protocol},
		{io.ErrUnexpectedEOF, wire.SessionLost},
		{context.Canceled, wire.SessionLost},
	} {
		if got := EndOf(test.err); got.Code != test.want {
			t.Errorf("%v: %v, want %s", test.err, got, test.want)
		}
	}
}

// closing is a WebSocket that is only closed.
type closing struct {
	WebSocket
	dismissed bool
	code      int
	reason    string
}

func (c *closing) Dismiss() { c.dismissed = true }

func (c *closing) Close(code int, reason string) error {
	c.code, c.reason = code, reason
	return nil
}

// TestRefuse: a client learns why it gets no session, but no words of this system's.
func TestRefuse(t *testing.T) {
	for _, test := range []struct {
		err    error
		code   wire.Code
		reason string
	}{
		{fmt.Errorf("admit: %w", wire.NewError(wire.Unauthorized, "no such token")), wire.Unauthorized, "no such token"},
		{errors.New("open /etc/secret: no such file"), wire.Internal, ""},
	} {
		var ws closing
		refuse(&ws, test.err)
		if !ws.dismissed || ws.code != test.code.CloseCode() || ws.reason != test.reason {
			t.Errorf("%v: %+v", test.err, ws)
		}
	}
}
