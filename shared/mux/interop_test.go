package mux_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/hashicorp/yamux"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

func yamuxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.EnableKeepAlive = false
	c.LogOutput = io.Discard
	return c
}

// TestYamuxClient: hashicorp/yamux, whose specification the frames follow, opens streams
// at this package's server.
func TestYamuxClient(t *testing.T) {
	a, b := net.Pipe()
	server, err := mux.Server(muxtest.New(b), mux.Config{}, accepted(t, echo))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := yamux.Client(a, yamuxConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Ping(); err != nil {
		t.Errorf("ping: %v", err)
	}
	control := yamuxOpen(t, client, wire.Request{Kind: wire.Control})
	defer control.Close()
	for range 3 {
		stream := yamuxOpen(t, client, target)
		sent := make([]byte, 2<<20) // more than the first window
		rand.NewChaCha8([32]byte{}).Read(sent)
		go func() {
			if _, err := stream.Write(sent); err != nil {
				t.Errorf("write: %v", err)
			}
			if err := stream.Close(); err != nil { // yamux's half-close
				t.Errorf("close: %v", err)
			}
		}()
		if got, err := io.ReadAll(stream); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes came back of %d, %v", len(got), len(sent), err)
		}
	}
}

func yamuxOpen(t *testing.T, client *yamux.Session, q wire.Request) *yamux.Stream {
	t.Helper()
	stream := yamuxAsk(t, client, q)
	want := wire.Result{}.Append(nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(stream, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("result: %x, %v, want %x", got, err, want)
	}
	return stream
}

// yamuxAsk opens a stream of hashicorp/yamux with a request.
func yamuxAsk(t *testing.T, client *yamux.Session, q wire.Request) *yamux.Stream {
	t.Helper()
	stream, err := client.OpenStream()
	if err != nil {
		t.Fatal(err)
	}
	message, err := q.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(message); err != nil {
		t.Fatal(err)
	}
	return stream
}

// TestYamuxServer: this package's client opens streams at hashicorp/yamux.
func TestYamuxServer(t *testing.T) {
	a, b := net.Pipe()
	server, err := yamux.Server(b, yamuxConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	ended := make(chan error, 1)
	go func() { ended <- yamuxServe(server) }()
	client, err := mux.Client(muxtest.New(a), mux.Config{})
	if err != nil {
		t.Fatal(err)
	}
	stream := open(t, client)
	sent := bytes.Repeat([]byte("0123456789"), 200_000)
	go func() {
		if _, err := stream.Write(sent); err != nil {
			t.Errorf("write: %v", err)
		}
		_ = stream.CloseWrite()
	}()
	if got, err := io.ReadAll(stream); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes came back of %d, %v", len(got), len(sent), err)
	}
	if err := <-ended; err != nil {
		t.Errorf("server: %v", err)
	}
	if _, err := server.Ping(); err != nil {
		t.Errorf("ping: %v", err)
	}
	client.Close()
}

// yamuxServe answers the control stream and echoes one more.
func yamuxServe(server *yamux.Session) error {
	for range 2 {
		stream, err := server.AcceptStream()
		if err != nil {
			return err
		}
		var length [2]byte
		if _, err := io.ReadFull(stream, length[:]); err != nil {
			return err
		}
		if _, err := io.CopyN(io.Discard, stream, int64(length[0])<<8|int64(length[1])); err != nil {
			return err
		}
		if _, err := stream.Write(wire.Result{}.Append(nil)); err != nil {
			return err
		}
		if stream.StreamID() == 1 {
			continue
		}
		if _, err := io.Copy(stream, stream); err != nil {
			return err
		}
		return stream.Close()
	}
	return nil
}
