package hostile_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/carrier"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// targets are where streams go: one sends back what it gets, the other reads nothing.
type targets struct{ echo, deaf netip.AddrPort }

func startTargets(t *testing.T) targets {
	t.Helper()
	return targets{
		echo: listen(t, func(c net.Conn, _ <-chan struct{}) { _, _ = io.Copy(c, c) }),
		deaf: listen(t, func(_ net.Conn, over <-chan struct{}) { <-over }),
	}
}

func listen(t *testing.T, serve func(net.Conn, <-chan struct{})) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer conn.Close()
				serve(conn, over)
			})
		}
	})
	t.Cleanup(func() {
		close(over)
		_ = listener.Close()
		tasks.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// neighbour is an honest session beside the hostile ones.
type neighbour struct {
	client *client.Client
	echo   netip.AddrPort
	stop   chan struct{}
	done   chan struct{}

	exchanges int
	bytes     int64
	slowest   time.Duration
	recent    atomic.Int64 // the slowest since somebody asked
	err       error
}

// block is what a neighbour sends in one exchange: more than a window.
var block = bytes.Repeat([]byte("0123456789abcde\n"), 20<<10)

func startNeighbour(server *process, echo netip.AddrPort) *neighbour {
	n := &neighbour{echo: echo, stop: make(chan struct{}), done: make(chan struct{})}
	n.client = client.New(client.Config{Dial: func(ctx context.Context) (link.Carrier, error) {
		transport := &http.Transport{DisableKeepAlives: true}
		defer transport.CloseIdleConnections()
		c, err := carrier.Dial(ctx, "ws://"+server.addr+"/v1/connect", &http.Client{Transport: transport}, nil)
		if err != nil {
			return nil, err
		}
		return c, nil
	}})
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
func (n *neighbour) exchange() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := n.client.Open(wire.Request{Kind: wire.TCP, Host: n.echo.Addr().String(), Port: n.echo.Port()})
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

// end returns why the neighbour could not go on, nil if it could.
func (n *neighbour) end() error {
	close(n.stop)
	<-n.done
	n.client.Close()
	return n.err
}
