//go:build !js

package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	coder "github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// received is what Receive gave.
type received struct {
	n   int
	err error
}

// stranger starts a server that tells what it receives of each connection without Admit.
func stranger(t *testing.T) (string, <-chan received) {
	t.Helper()
	all := make(chan received, 1)
	return serveStrangers(t, func(c *websocket.Conn) {
		m, err := c.Receive(context.Background())
		all <- received{len(m), err}
		_ = c.Close(0, "") // the test has seen enough
	}), all
}

func TestFirstMessageMayBeShort(t *testing.T) {
	url, all := stranger(t)
	for _, n := range []int{1, websocket.MaxFirst} {
		if err := dial(t, url).Send(t.Context(), make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if got := <-all; got.err != nil || got.n != n {
			t.Errorf("%d bytes: got %d, %v", n, got.n, got.err)
		}
	}
}

func TestFirstMessageTooLong(t *testing.T) {
	url, all := stranger(t)
	for _, n := range []int{websocket.MaxFirst + 1, wire.MaxMessage} {
		c := dial(t, url)
		_ = c.Send(t.Context(), make([]byte, n)) // may fail already
		if _, err := c.Receive(t.Context()); coder.CloseStatus(err) != coder.StatusMessageTooBig {
			t.Errorf("%d bytes: the client gets %v", n, err)
		}
		got := <-all
		var e *wire.Error
		if !errors.As(got.err, &e) || e.Code != wire.Limit || got.err == error(websocket.ErrTooLong) {
			t.Errorf("%d bytes: got %d, %v", n, got.n, got.err)
		}
	}
}

func TestBuffersAreHeldWhileMessagesAreReceived(t *testing.T) {
	memory := budget.New(64<<20, 0)
	account := memory.Account()
	held := make(chan int64, 2)
	c := dial(t, serveStrangers(t, func(c *websocket.Conn) {
		c.Admit(account)
		_, _ = c.Receive(context.Background()) // the figures tell
		held <- account.Held()
		_ = c.Close(0, "")
		held <- account.Held()
	}))
	if err := c.Send(t.Context(), bytes.Repeat([]byte{1}, 200<<10)); err != nil {
		t.Fatal(err)
	}
	if during, after := <-held, <-held; during < 200<<10 || after != 0 {
		t.Errorf("%d bytes are held with a message of 200 KiB, %d after the end", during, after)
	}
}

func TestAbort(t *testing.T) {
	aborted := make(chan error, 1)
	c := dial(t, serveStrangers(t, func(c *websocket.Conn) {
		c.Abort()
		_, err := c.Receive(context.Background())
		aborted <- err
		_ = c.Close(0, "")
	}))
	if err := <-aborted; err == nil {
		t.Error("an aborted connection receives")
	}
	if _, err := c.Receive(t.Context()); err == nil {
		t.Error("the client receives from an aborted connection")
	}
}
