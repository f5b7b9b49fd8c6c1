package yamux

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/budget"
)

var errOver = errors.New("it is over")

// sending runs send with messages that wait for take.
func sending(o *outgoing) (sent chan []byte, take chan struct{}, ended chan error) {
	sent, take, ended = make(chan []byte, 100), make(chan struct{}, 100), make(chan error, 1)
	go func() {
		ended <- o.send(func(message []byte) error {
			<-take
			sent <- bytes.Clone(message)
			return nil
		})
	}()
	return sent, take, ended
}

// TestGathers sends in one message what was written while another was on its way.
func TestGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutgoing(nil)
		sent, take, ended := sending(o)
		put := func(parts ...[]byte) {
			if _, err := o.write(true, parts...); err != nil {
				t.Fatal(err)
			}
		}
		put([]byte("first"))
		synctest.Wait()
		put([]byte("head"), []byte("body"))
		put([]byte("more"))
		take <- struct{}{}
		take <- struct{}{}
		if one, two := <-sent, <-sent; string(one) != "first" || string(two) != "headbodymore" {
			t.Errorf("%q, %q", one, two)
		}
		o.end(errOver)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := o.write(true, []byte("x")); err != errOver {
			t.Errorf("write behind the end: %v", err)
		}
	})
}

// TestLater sends what may wait with what follows, or after laterTime.
func TestLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutgoing(nil)
		sent, take, ended := sending(o)
		take <- struct{}{}
		take <- struct{}{}
		_, _ = o.write(false, []byte("may wait ")) // no test of errors
		synctest.Wait()
		if len(sent) > 0 {
			t.Error("it did not wait")
		}
		_, _ = o.write(true, []byte("may not"))
		if got := <-sent; string(got) != "may wait may not" {
			t.Errorf("%q", got)
		}
		began := time.Now()
		time.Sleep(laterTime) // that timer runs on
		_, _ = o.write(false, []byte("alone"))
		if got := <-sent; string(got) != "alone" || time.Since(began) > 3*laterTime {
			t.Errorf("%q after %s", got, time.Since(began))
		}
		o.end(errOver)
		<-ended
	})
}

// TestBounded holds two messages, and the writer waits. What is longer than a message
// goes in several.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := budget.New(1<<30, 0)
		account := all.Account()
		o := newOutgoing(account)
		sent, take, ended := sending(o)
		const n = 5*messageSize + 3
		written := make(chan int, 1)
		go func() {
			n, err := o.write(true, make([]byte, n))
			if err != nil {
				t.Error(err)
			}
			written <- n
		}()
		synctest.Wait()
		if held := account.Held(); held != 2*messageSize || len(written) > 0 {
			t.Errorf("%d bytes are held, want %d", held, 2*messageSize)
		}
		for range 6 {
			take <- struct{}{}
		}
		if got := <-written; got != n {
			t.Errorf("%d bytes were taken of %d", got, n)
		}
		total := 0
		for range 6 {
			total += len(<-sent)
		}
		if total != n {
			t.Errorf("%d bytes were sent of %d", total, n)
		}
		o.end(errOver)
		<-ended
		if held := account.Held(); held != 0 {
			t.Errorf("%d bytes are held in the end", held)
		}
	})
}

// TestFill makes frames in the message, and none where there is nothing.
func TestFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutgoing(nil)
		sent, take, ended := sending(o)
		header := func(n int) []byte { return []byte{'h', byte(n)} }
		fill := func(least, most, n int) (room int) {
			err := o.fill(least, most, func(b []byte) int {
				room = len(b)
				return copy(b, bytes.Repeat([]byte{'x'}, n))
			}, header)
			if err != nil {
				t.Fatal(err)
			}
			return room
		}
		if room := fill(10, 20, 3); room != 20 {
			t.Errorf("room for %d bytes, want 20", room)
		}
		synctest.Wait()
		if room := fill(1, messageSize, 0); room != messageSize-2 {
			t.Errorf("room for %d bytes, want the whole message", room)
		}
		fill(1, 4, 4)
		take <- struct{}{}
		take <- struct{}{}
		if one, two := <-sent, <-sent; string(one) != "h\x03xxx" || string(two) != "h\x04xxxx" {
			t.Errorf("%q, %q", one, two)
		}
		o.end(errOver)
		<-ended
		if err := o.fill(1, 4, func([]byte) int { return 0 }, header); err != errOver {
			t.Errorf("fill behind the end: %v", err)
		}
	})
}

// TestFlush waits until the network has everything, or no longer than its context.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOutgoing(nil)
		_, take, ended := sending(o)
		if err := o.flush(t.Context()); err != nil {
			t.Errorf("with nothing to send: %v", err)
		}
		_, _ = o.write(false, []byte("x")) // no test of errors
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := o.flush(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("while nothing is taken: %v", err)
		}
		take <- struct{}{}
		if err := o.flush(t.Context()); err != nil {
			t.Error(err)
		}
		o.end(errOver)
		<-ended
	})
}

// TestRest gives what was not sent back, and tells a whole write from one that was cut.
func TestRest(t *testing.T) {
	for _, cut := range []bool{false, true} {
		o := newOutgoing(nil)
		n := 5
		if cut {
			n = messageSize + 1
		}
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			_, _ = o.write(true, make([]byte, n)) // fails where it was cut
		}()
		<-o.work
		o.end(errOver)
		<-wrote
		if rest, whole := o.rest(); len(rest) != min(n, messageSize) || whole == cut {
			t.Errorf("%d bytes are left, whole %t", len(rest), whole)
		}
	}
}

// TestFillOfNothing holds no memory and sends no message.
func TestFillOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := budget.New(1<<30, 0).Account()
		o := newOutgoing(account)
		sent, take, ended := sending(o)
		close(take)
		_, _ = o.write(false, []byte("x")) // its timer finds nothing to send
		_, _ = o.write(true, []byte("y"))  // no test of errors
		<-sent
		synctest.Wait()
		nothing := func([]byte) int { return 0 }
		if err := o.fill(1, 4, nothing, func(int) []byte { return []byte{'h'} }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * laterTime)
		if held := account.Held(); held != 0 || len(sent) != 0 {
			t.Errorf("%d bytes are held, %d messages were sent, want none", held, len(sent))
		}
		o.end(errOver)
		<-ended
	})
}
