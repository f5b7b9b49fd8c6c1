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
	"github.com/sockmux/sockmux/shared/wire"
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
	echo   netip.AddrPort
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

func startNeighbour(server *process, echo netip.AddrPort) *neighbor {
	n := &neighbor{echo: echo, stop: make(chan struct{}), done: make(chan struct{})}
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
			if n.err = n.exchange(); n.err != nil {
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

// exchange sends a block to the echo and checks what comes back.
func (n *neighbor) exchange() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := n.client.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost(n.echo.Addr().String()), Port: n.echo.Port()})
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer s.Close()
	result, err := s.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return fmt.Errorf("result: %w", err)
	}
	sent := make(chan error, 1)
	go func() { // ends with the stream; awaited below
		_, err := s.Write(block)
		if err == nil {
			err = s.CloseWrite()
		}
		sent <- err
	}()
	hash := sha256.New()
	_, err = io.Copy(hash, s)
	if err := errors.Join(err, <-sent); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	if want := sha256.Sum256(block); !bytes.Equal(hash.Sum(nil), want[:]) {
		return errors.New("what came back has another digest")
	}
	return nil
}

// end returns why the neighbor could not go on, nil if it could.
func (n *neighbor) end() error {
	close(n.stop)
	<-n.done
	n.client.Close()
	return n.err
}
