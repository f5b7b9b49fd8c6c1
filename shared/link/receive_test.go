package link_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/sockmux/sockmux/shared/buffer"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// reusing is a carrier that has messages also for a context that has ended, as a
// WebSocket has that has buffered them, and one buffer for all.
type reusing struct {
	buffer   []byte
	messages [][]byte
}

func (c *reusing) Receive(ctx context.Context) ([]byte, error) {
	if len(c.messages) == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	n := copy(c.buffer, c.messages[0])
	c.messages = c.messages[1:]
	return c.buffer[:n], nil
}

// ReceiveBody implements link.Carrier.
func (c *reusing) ReceiveBody(ctx context.Context) (buffer.Payload, error) {
	m, err := c.Receive(ctx)
	return buffer.Bytes(m), err
}

func (c *reusing) Send(context.Context, []byte) error { return nil }
func (c *reusing) Close(int, string) error            { return nil }

// What a run has received and no caller has read yet survives the run: its carrier does not
// receive into the same buffer again.
func TestUnreadBytesOutliveTheRun(t *testing.T) {
	l := link.New(link.Config{})
	c := &reusing{
		buffer:   make([]byte, 100),
		messages: [][]byte{wire.Data{Offset: 0, Payload: []byte("first")}.Append(nil), wire.Data{Offset: 5, Payload: []byte("SECOND")}.Append(nil)},
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- l.Run(ctx, c, 0) }()
	for l.Received() == 0 { // until the first message waits for its reader
		runtime.Gosched()
	}
	cancel()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("run: %v", err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(l, got); err != nil || string(got) != "first" {
		t.Errorf("read %q, %v", got, err)
	}
	_ = l.Close()
}
