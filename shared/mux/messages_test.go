package mux_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestMessagesOfAnAnswer: what an acceptor sends at the begin of a stream travels in one message.
// A page pays for each with a task of its own and with wake-ups of other processes.
func TestMessagesOfAnAnswer(t *testing.T) {
	reply := func(s *mux.Stream) {
		if err := s.Reply(wire.Result{}); err != nil {
			t.Error(err)
		}
	}
	for _, c := range []struct {
		name   string
		writes bool // the initiator, before the answer
		handle func(*mux.Stream)
	}{
		{"accepted and answered", false, reply},
		{"accepted, answered and the first bytes", true, func(s *mux.Stream) {
			b := make([]byte, 4)
			if _, err := io.ReadFull(s, b); err != nil {
				t.Error(err)
			}
			reply(s)
			synctest.Wait() // the target takes its time, and nothing leaves meanwhile
			if _, err := s.Write(b); err != nil {
				t.Error(err)
			}
		}},
		{"accepted, and answered before the first bytes were read", true, func(s *mux.Stream) {
			s.WaitReadable()
			reply(s)
			synctest.Wait()
			b := make([]byte, 4)
			if _, err := io.ReadFull(s, b); err != nil {
				t.Error(err)
			}
			if _, err := s.Write(b); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done := make(chan struct{})
				e := connect(t, mux.Config{}, func(_ context.Context, s *mux.Stream) {
					c.handle(s)
					<-done
					_ = s.Close() // the test is over
				})
				defer close(done)
				time.Sleep(time.Second) // of the bubble: the begin of the session is over
				before := e.serverLink.Stats().MessagesSent
				stream, err := e.client.Open(target)
				if err != nil {
					t.Fatal(err)
				}
				if c.writes {
					if _, err := stream.Write([]byte("echo")); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(stream, make([]byte, 4)); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := stream.Result(t.Context()); err != nil {
					t.Fatal(err)
				}
				if n := e.serverLink.Stats().MessagesSent - before; n != 1 {
					t.Errorf("%d messages", n)
				}
			})
		})
	}
}
