package link_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// jammed is a carrier whose other end has broken the protocol and reads nothing: a Send
// waits until its context ends, which cuts the carrier.
type jammed struct {
	sending, cut chan struct{}
	closed       int
}

func (j *jammed) Send(ctx context.Context, _ []byte) error {
	select {
	case <-j.cut:
		return errors.New("cut")
	default:
	}
	close(j.sending)
	<-ctx.Done()
	close(j.cut)
	return ctx.Err()
}

func (j *jammed) Receive(context.Context) ([]byte, error) {
	<-j.sending
	return []byte{99}, nil // no such type
}

// ReceiveBody implements link.Carrier.
func (j *jammed) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := j.Receive(ctx)
	return buffer.Bytes(m), err
}

func (j *jammed) Close(code int, _ string) error {
	j.closed = code
	return nil
}

// TestReasonWaitsForTheMessage: a message that is on its way when the other end breaks
// the protocol is not cut short at once: that would cut the reason off.
func TestReasonWaitsForTheMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := link.New(link.Config{})
		j := &jammed{sending: make(chan struct{}), cut: make(chan struct{})}
		ended := make(chan error, 1)
		go func() { ended <- l.Run(context.Background(), j, 0) }() // ends with the link
		if _, err := l.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second) // of the bubble's clock
		select {
		case <-j.cut:
			t.Error("the message was cut short")
		default:
		}
		if err := <-ended; !errors.Is(err, wire.NewError(wire.Protocol, "")) || j.closed != 4017 {
			t.Errorf("%v and close code %d, want protocol and 4017", err, j.closed)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestLostRunIsCutAtOnce: where there is no reason to tell nothing is waited for.
func TestLostRunIsCutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := link.New(link.Config{})
		j := &jammed{sending: make(chan struct{}), cut: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-j.sending
			cancel()
		}()
		began := time.Now()
		waiting := silent{j}
		if _, err := l.Write([]byte("a")); err != nil {
			t.Fatal(err)
		}
		if err := l.Run(ctx, waiting, 0); !errors.Is(err, context.Canceled) || time.Since(began) > 0 {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// silent is a jammed carrier that gives nothing either.
type silent struct{ *jammed }

func (silent) Receive(ctx context.Context) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
