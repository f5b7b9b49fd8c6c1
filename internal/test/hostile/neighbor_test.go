package hostile_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
)

// targets are where streams go: one sends back what it gets, the other reads nothing.
type targets struct{ echo, deaf netip.AddrPort }

func startTargets(t *testing.T) targets {
	t.Helper()
	over := make(chan struct{})
	where := targets{echo: product.Echo(t), deaf: product.Target(t, func(*net.TCPConn) { <-over })}
	t.Cleanup(func() { close(over) }) // before the targets wait for their connections
	return where
}

// neighbor is an honest session beside the hostile ones.
type neighbor struct {
	client *client.Client
	stop   chan struct{}
	done   chan struct{}

	exchanges int
	bytes     int64
	slowest   time.Duration
	recent    atomic.Int64 // the slowest since the last question
	err       error
}

// block is what a neighbor sends in one exchange: more than a window.
var block = bytes.Repeat([]byte("0123456789abcde\n"), 20<<10)

// startNeighbor repeats an exchange, which moves a block in both directions.
func startNeighbor(server *process, exchange func(context.Context, *client.Client) error) *neighbor {
	n := &neighbor{stop: make(chan struct{}), done: make(chan struct{})}
	n.client = client.New(client.Config{Dial: product.Transport(server.ConnectURL())})
	go func() {
		defer close(n.done)
		for {
			select {
			case <-n.stop:
				return
			default:
			}
			began := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			n.err = exchange(ctx, n.client)
			cancel()
			if n.err != nil {
				return
			}
			n.exchanges++
			n.bytes += 2 * int64(len(block))
			took := time.Since(began)
			n.slowest = max(n.slowest, took)
			n.recent.Store(max(n.recent.Load(), int64(took)))
		}
	}()
	return n
}

// withEcho exchanges a block with a target that sends back what it gets.
func withEcho(echo netip.AddrPort) func(context.Context, *client.Client) error {
	return func(ctx context.Context, c *client.Client) error {
		s, err := product.Opened(ctx, c, echo)
		if err != nil {
			return err
		}
		defer s.Close()
		s.SetReadDeadline(time.Now().Add(patience))
		return moved(s, s)
	}
}

// moved writes a block to one end and its FIN, and checks what comes out at another.
func moved(from interface {
	io.Writer
	CloseWrite() error
}, at io.Reader,
) error {
	sent := make(chan error, 1)
	go func() { // ends with the stream; awaited below
		_, err := from.Write(block)
		if err == nil {
			err = from.CloseWrite()
		}
		sent <- err
	}()
	hash := sha256.New()
	_, err := io.Copy(hash, at)
	if err := errors.Join(err, <-sent); err != nil {
		return fmt.Errorf("block: %w", err)
	}
	if want := sha256.Sum256(block); !bytes.Equal(hash.Sum(nil), want[:]) {
		return errors.New("what came out has another digest")
	}
	return nil
}

// end returns why the neighbor could not go on, nil if it could.
func (n *neighbor) end() error {
	close(n.stop)
	<-n.done
	n.client.Close()
	if n.err == nil && n.exchanges == 0 {
		return errors.New("it moved nothing")
	}
	return n.err
}
