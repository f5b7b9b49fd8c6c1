package mux_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// FuzzServer feeds a server's end any bytes: it ends with a reason of the protocol or
// waits for more, and leaves nothing behind.
func FuzzServer(f *testing.F) {
	control := request(f, 1, wire.Request{Kind: wire.Control})
	f.Add(control)
	f.Add(append(control, frame(data, 0, 1, 9, 0, 7, 2, 0, 0, 0, 3, 0, 1)...))
	f.Add(append(request(f, 3, target), frame(data, fin, 3, 2, 'h', 'i')...))
	f.Add(append(request(f, 3, target), frame(update, rst, 3, 0)...))
	f.Add(frame(ping, syn, 0, 1))
	f.Add(frame(3, 0, 0, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		hung := time.AfterFunc(20*time.Second, func() { panic("the session does not end") })
		defer hung.Stop()
		conn := taking{newDeaf()}
		under := muxtest.New(conn)
		s, err := mux.Server(under, mux.Config{MaxStreams: func() int { return 8 }}, func(_ context.Context, s *mux.Stream) {
			_ = s.Reply(wire.Result{})
			_, _ = io.Copy(io.Discard, s)
			_ = s.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.feed.Write(b) // fails where the session ends before it has read all
		if err := under.Err(); err != nil && !isCode(err, wire.Protocol) {
			t.Errorf("%v, want protocol", err)
		}
		s.Close()
	})
}

// FuzzPlainServer is FuzzServer without a control stream.
func FuzzPlainServer(f *testing.F) {
	f.Add(request(f, 1, target))
	f.Add(append(request(f, 1, target), frame(data, fin, 1, 2, 'h', 'i')...))
	f.Add(append(request(f, 1, target), frame(update, rst, 1, 0)...))
	f.Add(append(request(f, 1, wire.Request{Kind: wire.Control}), frame(data, 0, 1, 3, 0, 1, 9)...))
	f.Add(append(frame(ping, syn, 0, 1), frame(ping, ack, 0, 1)...))
	f.Add(frame(3, 0, 0, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		hung := time.AfterFunc(20*time.Second, func() { panic("the session does not end") })
		defer hung.Stop()
		conn := taking{newDeaf()}
		under := muxtest.New(conn)
		s, err := mux.PlainServer(under, mux.Config{MaxStreams: func() int { return 8 }}, func(_ context.Context, s *mux.Stream) {
			_ = s.Reply(wire.Result{})
			_, _ = io.Copy(io.Discard, s)
			_ = s.Reset(wire.Reset, "")
			_ = s.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Ping()
		_, _ = conn.feed.Write(b) // fails where the session ends before it has read all
		if err := under.Err(); err != nil && !isCode(err, wire.Protocol) {
			t.Errorf("%v, want protocol", err)
		}
		s.Close()
	})
}
