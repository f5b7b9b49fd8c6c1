package mux_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestPlainFarewell tells of every stream that this end has not ended, whatever the
// connection has taken, and of why the session ends.
func TestPlainFarewell(t *testing.T) {
	conn := alive{newDeaf()}
	under := muxtest.New(conn)
	ready := make(chan struct{})
	s, err := mux.PlainServer(under, mux.Config{}, func(ctx context.Context, s *mux.Stream) {
		_ = s.Reply(wire.Result{}) // nothing reads it
		switch s.ID() {
		case 3:
			_ = s.CloseWrite() // as above
		case 5:
			under.Fail(wire.NewError(wire.Draining, "going away"))
			_ = s.Reset(wire.Reset, "behind the end")
		}
		ready <- struct{}{}
		<-ctx.Done()
		_ = s.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	for id := uint32(1); id < 7; id += 2 {
		if _, err := conn.feed.Write(request(t, id, target)); err != nil {
			t.Fatal(err)
		}
		<-ready
	}
	got := s.Farewell(wire.NewError(wire.Protocol, ""))
	first, second, last := frame(update, rst, 1, 0), frame(update, rst, 5, 0), frame(3, 0, 0, 1)
	if !bytes.Contains(got, first) || !bytes.Contains(got, second) ||
		bytes.Contains(got, frame(update, rst, 3, 0)) || !bytes.HasSuffix(got, last) {
		t.Errorf("%x, want RST of 1 and 5 and not of 3, then GoAway", got)
	}
	s.Close()
}

// alive takes what is written until it is closed.
type alive struct{ *deaf }

func (a alive) Write(b []byte) (int, error) {
	select {
	case <-a.closed:
		return 0, io.ErrClosedPipe
	default:
		return len(b), nil
	}
}

// TestGoAway has the reasons of yamux's specification.
func TestGoAway(t *testing.T) {
	for code, reason := range map[wire.Code]uint32{wire.OK: 0, wire.Draining: 0, wire.Limit: 0, wire.Protocol: 1, wire.Internal: 2} {
		if got := mux.GoAway(wire.NewError(code, "")); !bytes.Equal(got, frame(3, 0, 0, reason)) {
			t.Errorf("%s: %x", code, got)
		}
	}
}
