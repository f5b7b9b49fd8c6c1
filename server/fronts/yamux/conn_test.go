package yamux

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/fronts"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// running runs a conn over a line; what it returns is why it has ended.
func running(t *testing.T, l *line) (*conn, chan error) {
	c := newConn(l, nil)
	ended := make(chan error, 1)
	go func() { ended <- c.run(t.Context(), mux.GoAway) }()
	return c, ended
}

func isCode(err error, code wire.Code) bool { return errors.Is(err, wire.NewError(code, "")) }

// TestFailTellsWhy ends with a GoAway behind whole frames and with the close code.
func TestFailTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		c, ended := running(t, l)
		synctest.Wait()
		_, _ = c.WriteLater([]byte("frames")) // no test of errors
		why := wire.NewError(wire.Protocol, "it was wrong")
		c.Fail(why)
		c.Fail(wire.NewError(wire.Internal, "the first reason stays"))
		if err := <-ended; !isCode(err, wire.Protocol) || !isCode(c.Err(), wire.Protocol) {
			t.Errorf("%v, %v", err, c.Err())
		}
		messages, code, reason := l.sent()
		if got, want := bytes.Join(messages, nil), append([]byte("frames"), mux.GoAway(why)...); !bytes.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		if code != 4017 || reason != "it was wrong" {
			t.Errorf("closed with %d %q", code, reason)
		}
		<-c.Done()
	})
}

// TestFailOfADeafClient takes no longer than fronts.EndTimeout, and cuts a frame without a
// GoAway in it.
func TestFailOfADeafClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		l.taken = make(chan struct{})
		c, ended := running(t, l)
		wrote := make(chan error, 1)
		go func() {
			_, err := c.WriteParts(make([]byte, 3*messageSize), nil)
			wrote <- err
		}()
		synctest.Wait()
		began := time.Now()
		c.Fail(wire.NewError(wire.Limit, "it is enough"))
		if err := <-wrote; !isCode(err, wire.Limit) {
			t.Errorf("write: %v", err)
		}
		if err := <-ended; !isCode(err, wire.Limit) {
			t.Errorf("%v", err)
		}
		messages, code, _ := l.sent()
		if took := time.Since(began); took > fronts.EndTimeout || len(messages) > 0 || code != 0 {
			t.Errorf("after %s: %d messages, closed with %d", took, len(messages), code)
		}
	})
}

// TestClientEnds tells a connection that was closed from one that was lost. To the
// streams both are clean: what had its FIN is complete.
func TestClientEnds(t *testing.T) {
	for _, test := range []struct {
		what  string
		err   error
		want  wire.Code
		close int
	}{
		{"closed", io.EOF, wire.OK, 1000},
		{"lost", errors.New("connection reset by peer"), wire.SessionLost, 0},
		{"text", wire.NewError(wire.Protocol, "text message"), wire.Protocol, 4017},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine()
			c, ended := running(t, l)
			go func() {
				_, _ = l.client.Write([]byte("last")) // the reader gets it
				_ = l.client.CloseWithError(test.err)
			}()
			got, err := io.ReadAll(c)
			if string(got) != "last" || test.err != io.EOF && err == nil {
				t.Errorf("%s: read %q, %v", test.what, got, err)
			}
			if err := <-ended; !isCode(err, test.want) || !isCode(c.Err(), wire.OK) {
				t.Errorf("%s: %v, and %v to the streams", test.what, err, c.Err())
			}
			if _, code, _ := l.sent(); code != test.close {
				t.Errorf("%s: closed with %d, want %d", test.what, code, test.close)
			}
		})
	}
}

// TestLostWhileSending reads what a client sent before it was lost, and drops what is written for
// it meanwhile. A client whose end does not come is given up after a time.
func TestLostWhileSending(t *testing.T) {
	for _, ends := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine()
			l.failure = errors.New("connection reset by peer")
			c, ended := running(t, l)
			began := time.Now()
			for range 3 {
				if _, err := c.WriteParts(make([]byte, messageSize), nil); err != nil {
					t.Errorf("write: %v", err)
				}
				synctest.Wait()
			}
			go func() {
				_, _ = l.client.Write([]byte("last")) // the reader gets it
				if ends {
					_ = l.client.CloseWithError(l.failure)
				}
			}()
			got := make([]byte, 4)
			if _, err := io.ReadFull(c, got); err != nil || string(got) != "last" {
				t.Errorf("read %q, %v", got, err)
			}
			var took time.Duration
			if ends {
				_, _ = c.Read(got) // it finds the end
			} else {
				took = fronts.EndTimeout
			}
			if err := <-ended; !isCode(err, wire.SessionLost) || !isCode(c.Err(), wire.OK) || time.Since(began) != took {
				t.Errorf("after %s: %v, and %v to the streams", time.Since(began), err, c.Err())
			}
			if messages, code, _ := l.sent(); len(messages) > 0 || code != 0 {
				t.Errorf("%d messages, closed with %d", len(messages), code)
			}
			_ = l.client.Close() // never fails
		})
	}
}

// TestShutdown ends behind everything that was written.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine()
		c, ended := running(t, l)
		_, _ = c.WriteLater([]byte("last words")) // no test of errors
		if err := c.shutdown(t.Context(), wire.Draining, "going away"); err != nil {
			t.Error(err)
		}
		if err := <-ended; !isCode(err, wire.Draining) {
			t.Errorf("%v", err)
		}
		messages, code, reason := l.sent()
		if len(messages) != 2 || string(messages[0]) != "last words" || code != 4020 || reason != "going away" {
			t.Errorf("%q, closed with %d %q", messages, code, reason)
		}
	})
}

// TestContextEnds ends a run whose context ends, and one that has not begun reads
// nothing.
func TestContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConn(newLine(), nil)
		read := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			read <- err
		}()
		synctest.Wait()
		if len(read) > 0 {
			t.Error("it was read before the run")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.run(ctx, mux.GoAway); !isCode(err, wire.SessionLost) {
			t.Errorf("%v", err)
		}
		<-read
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("a read behind the end")
		}
	})
}
