package link_test

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// joining returns a link that knows that the other end takes JOINED and has received a byte that
// is not acknowledged, and the other end's carrier. It is for a bubble.
func joining(t *testing.T) (*link.Link, *linktest.Carrier) {
	t.Helper()
	l := link.New(link.Config{})
	l.Join()
	mine, theirs := linktest.Pipe()
	go func() { _ = l.Run(context.Background(), mine, 0) }() // ends with the link
	give(t, l, theirs, wire.Data{Payload: []byte("x")})
	return l, theirs
}

// give sends the link a message with one byte in it, which is read.
func give(t *testing.T, l *link.Link, theirs *linktest.Carrier, m wire.Data) {
	t.Helper()
	if err := theirs.Send(t.Context(), m.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(l, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// wantJoined receives one message, which must be DATA with an acknowledgement of one byte.
func wantJoined(t *testing.T, theirs *linktest.Carrier, payload string, delay time.Duration) wire.Data {
	t.Helper()
	m := dataMessage(t, theirs)
	if m.Ack == nil || *m.Ack != (wire.Ack{Received: 1, Delay: delay}) || string(m.Payload) != payload {
		t.Errorf("%+v with %+v; want %q with an acknowledgement of 1 byte after %s", m, m.Ack, payload, delay)
	}
	return m
}

// An acknowledgement goes with the next bytes, and those that may wait go with it when it is due.
// Neither leaves anything for a message of its own.
func TestAcknowledgementGoesWithBytes(t *testing.T) {
	for name, write := range map[string]struct {
		write func(*link.Link, []byte) (int, error)
		delay time.Duration
	}{
		"at once": {(*link.Link).Write, 0},
		"later":   {(*link.Link).WriteLater, 5 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, theirs := joining(t)
				defer l.Close()
				if _, err := write.write(l, []byte("answer")); err != nil {
					t.Fatal(err)
				}
				wantJoined(t, theirs, "answer", write.delay)
				time.Sleep(time.Second) // of the bubble
				if n := l.Stats().MessagesSent; n != 1 {
					t.Errorf("%d messages; want 1", n)
				}
			})
		})
	}
}

// Without bytes, or with bytes for which the window has no room, it goes alone.
func TestAcknowledgementAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, theirs := joining(t)
		defer l.Close()
		if m, ok := message(t, theirs).(wire.Ack); !ok || m.Received != 1 {
			t.Errorf("%+v; want an acknowledgement", m)
		}
		written := make(chan struct{})
		go func() { // ends with the link
			_, _ = l.Write(make([]byte, 1<<20))
			close(written)
		}()
		for got := 0; got < l.Stats().Window; {
			got += len(dataMessage(t, theirs).Payload)
		}
		synctest.Wait()
		give(t, l, theirs, wire.Data{Offset: 1, Payload: []byte("y")})
		if m, ok := message(t, theirs).(wire.Ack); !ok || m.Received != 2 {
			t.Errorf("%+v; want an acknowledgement", m)
		}
		l.Close()
		<-written
	})
}

// The announcement of a bare message can have one, too, and so can what is sent again.
func TestAcknowledgementBeforeABareMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, theirs := joining(t)
		defer l.Close()
		l.SendBare()
		bare := payload(barePayload, 4)
		fillBare(t, l, bare)
		if m := wantJoined(t, theirs, "head", 0); !m.Fore {
			t.Error("the message announces nothing")
		}
		if b, err := theirs.Receive(t.Context()); err != nil || string(b) != string(bare) {
			t.Errorf("bare message: %d bytes, %v", len(b), err)
		}
		theirs.Cut()
		synctest.Wait()

		mine, theirs := linktest.Pipe()
		if err := theirs.Send(t.Context(), wire.Data{Offset: 1, Payload: []byte("y")}.Append(nil)); err != nil {
			t.Fatal(err)
		}
		go func() { _ = l.Run(context.Background(), mine, 4) }() // ends with the link
		if _, err := io.ReadFull(l, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		m := dataMessage(t, theirs)
		if m.Ack == nil { // the bytes came first
			if ack, ok := message(t, theirs).(wire.Ack); !ok || ack.Received != 2 {
				t.Errorf("%+v; want an acknowledgement", ack)
			}
		}
		if m.Offset != 4 || m.Fore || string(m.Payload) != string(bare) {
			t.Errorf("sent again: from %d, %d bytes, fore %t", m.Offset, len(m.Payload), m.Fore)
		}
	})
}

// An acknowledgement beyond what was sent breaks the protocol in a JOINED as well.
func TestJoinedIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := link.New(link.Config{})
		mine, theirs := linktest.Pipe()
		if err := theirs.Send(t.Context(), wire.Data{Payload: []byte("x"), Ack: &wire.Ack{Received: 1}}.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if err := l.Run(t.Context(), mine, 0); !errors.Is(err, wire.NewError(wire.Protocol, "")) {
			t.Errorf("run: %v", err)
		}
	})
}

// Two ends that ask and answer in turn need one message for each question and each answer.
func TestMessagesOfQuestionsAndAnswers(t *testing.T) {
	const rounds = 1000
	for _, joined := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := link.New(link.Config{}), link.New(link.Config{})
			if joined {
				a.Join()
				b.Join()
			}
			toA, toB := linktest.Pipe()
			var tasks sync.WaitGroup // they end with the links
			for l, c := range map[*link.Link]*linktest.Carrier{a: toA, b: toB} {
				tasks.Go(func() { _ = l.Run(context.Background(), slow{c}, 0) })
			}
			tasks.Go(func() {
				for buffer := make([]byte, 64); ; {
					if _, err := io.ReadFull(b, buffer); err != nil {
						return
					}
					if _, err := b.Write(buffer); err != nil {
						return
					}
				}
			})
			for range rounds {
				if _, err := a.Write(make([]byte, 64)); err != nil {
					t.Fatal(err)
				}
				receive(t, a, 64)
			}
			messages := a.Stats().MessagesSent + b.Stats().MessagesSent
			if joined && messages > 2*rounds || !joined && messages < 2*rounds+rounds/3 {
				t.Errorf("joined %t: %d messages for %d rounds", joined, messages, rounds)
			}
			a.Close()
			b.Close()
			tasks.Wait()
		})
	}
}

// slow is a carrier on which a message takes a millisecond.
type slow struct{ *linktest.Carrier }

func (s slow) Receive(ctx context.Context) ([]byte, error) {
	message, err := s.Carrier.Receive(ctx)
	if err == nil {
		time.Sleep(time.Millisecond) // of the bubble
	}
	return message, err
}
