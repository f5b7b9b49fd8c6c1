package relay

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

var _ Stream = (*mux.Stream)(nil)

// session joins a client to a relay by links in memory.
func session(t *testing.T, r *Relay) (client, server *mux.Session) {
	t.Helper()
	return sessionOf(t, func(ctx context.Context, s *mux.Stream) { r.Serve(ctx, s) })
}

func sessionOf(t *testing.T, handle func(context.Context, *mux.Stream)) (client, server *mux.Session) {
	t.Helper()
	clientLink, serverLink := link.New(link.Config{}), link.New(link.Config{})
	a, b := linktest.Pipe()
	var runs sync.WaitGroup
	runs.Go(func() { _ = clientLink.Run(context.Background(), a, 0) }) // both end with their links
	runs.Go(func() { _ = serverLink.Run(context.Background(), b, 0) })
	server, err := mux.Server(serverLink, mux.Config{}, handle)
	if err != nil {
		t.Fatal(err)
	}
	client, err = mux.Client(clientLink, mux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
		runs.Wait()
	})
	return client, server
}

// over opens a stream to the target and waits for the answer.
func over(t *testing.T, client *mux.Session, target target) *mux.Stream {
	t.Helper()
	stream, err := client.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: target.addr.Port()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if result, err := stream.Result(ctx); err != nil || result.Code != wire.OK || result.Remote != target.addr {
		t.Fatalf("result %+v, %v", result, err)
	}
	return stream
}

func TestOverMuxBothHalves(t *testing.T) {
	data := random(3<<20 + 1)
	client, _ := session(t, local(t, Config{}))
	stream := over(t, client, listen(t, echo))
	sent := make(chan error, 1)
	go func() {
		_, err := stream.Write(data)
		sent <- errors.Join(err, stream.CloseWrite())
	}()
	got, err := io.ReadAll(stream)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(data))
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestOverMuxTargetResets(t *testing.T) {
	data := random(300_000)
	read := make(chan struct{})
	client, _ := session(t, local(t, Config{}))
	stream := over(t, client, listen(t, func(conn *net.TCPConn) {
		_, _ = conn.Write(data)
		<-read
		abort(conn)
	}))
	got := make([]byte, len(data))
	if _, err := io.ReadFull(stream, got); err != nil || !bytes.Equal(got, data) {
		t.Errorf("before the reset: %v", err)
	}
	close(read)
	if rest, err := io.ReadAll(stream); len(rest) != 0 || codeOf(err) != wire.Reset {
		t.Errorf("%d bytes more, %v; want reset", len(rest), err)
	}
}

func TestOverMuxPageResets(t *testing.T) {
	ends := make(chan error, 1)
	client, _ := session(t, local(t, Config{}))
	stream := over(t, client, listen(t, func(conn *net.TCPConn) {
		_, err := io.ReadAll(conn)
		ends <- err
	}))
	if err := stream.Reset(wire.Reset, ""); err != nil {
		t.Fatal(err)
	}
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v; want a reset", err)
	}
}

// close(2) in the page, with a target that neither reads the end nor ends.
func TestOverMuxPageCloses(t *testing.T) {
	release := make(chan struct{})
	got := make(chan string, 1)
	target := listen(t, func(conn *net.TCPConn) {
		data, _ := io.ReadAll(conn)
		got <- string(data)
		<-release
	})
	r := local(t, Config{})
	r.linger = time.Millisecond
	client, _ := session(t, r)
	stream := over(t, client, target)
	if _, err := stream.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := stream.Close(); err != nil {
		t.Fatal(err)
	}
	if data := <-got; data != "last words" {
		t.Errorf("target got %q", data)
	}
	until(t, func() bool { return ended(r)[wire.OK] == 1 && client.Streams() == 0 })
	close(release)
}

func TestOverMuxSessionEnds(t *testing.T) {
	ends := make(chan error, 2)
	target := listen(t, func(conn *net.TCPConn) {
		_, err := io.ReadAll(conn)
		ends <- err
	})
	client, server := session(t, local(t, Config{}))
	over(t, client, target)
	server.Close()
	if err := <-ends; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("target got %v; want a reset", err)
	}
}

// The answer to a request that fails comes through, with bytes of the page already under
// way, and nothing stays behind.
func TestOverMuxRefused(t *testing.T) {
	target := refusing(t)
	r := local(t, Config{})
	client, _ := session(t, r)
	stream, err := client.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: target.addr.Port()})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = stream.Write(make([]byte, 10_000)) // may fail: the answer may be there already
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if result, err := stream.Result(ctx); err != nil || result.Code != wire.Refused {
		t.Errorf("result %+v, %v; want refused", result, err)
	}
	_ = stream.Close() // likewise
	until(t, func() bool { return r.Active() == 0 && client.Streams() == 0 })
}

// until waits for what other goroutines are about to bring about and nothing tells of.
func until(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("what should happen does not")
		}
	}
}
