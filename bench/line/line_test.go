package line

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net"
	"testing"
	"time"
)

// path starts a line before an echo server and dials it.
func path(t *testing.T, config Config) (*net.TCPConn, *Line) {
	t.Helper()
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(config)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, listener, echo.Addr().String()) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		echo.Close()
	})
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn), l
}

func TestBytesArriveInOrderAndEndIsPassedOn(t *testing.T) {
	conn, _ := path(t, Config{RTT: 2 * time.Millisecond, Rate: 50 << 20})
	sent := make([]byte, 1<<20)
	rand.Read(sent)
	go func() {
		conn.Write(sent)
		conn.CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Fatalf("got %d bytes that differ from the %d sent", len(got), len(sent))
	}
}

func TestDelayIsAtLeastTheRoundTrip(t *testing.T) {
	const rtt = 40 * time.Millisecond
	conn, _ := path(t, Config{RTT: rtt})
	start := time.Now()
	conn.Write([]byte("x"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < rtt {
		t.Fatalf("the echo took %v, less than the round trip of %v", took, rtt)
	}
}

func TestRateBoundsThroughput(t *testing.T) {
	const rate = 10 << 20
	conn, _ := path(t, Config{Rate: rate})
	sent := make([]byte, 2<<20)
	start := time.Now()
	go func() {
		conn.Write(sent)
		conn.CloseWrite()
	}()
	if n, err := io.Copy(io.Discard, conn); err != nil || n != int64(len(sent)) {
		t.Fatalf("copied %d bytes: %v", n, err)
	}
	// The queue may hold 33 ms of it at the start.
	if took := time.Since(start); took < 150*time.Millisecond {
		t.Fatalf("2 MiB at 10 MiB/s took %v", took)
	}
}

func TestCutAllEndsConnections(t *testing.T) {
	conn, l := path(t, Config{})
	conn.Write([]byte("x"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	l.CutAll()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Fatal("read after CutAll gave no error")
	}
}

// TestHandshakeCostsARoundTrip: what the client sends at once comes back after two round trips.
func TestHandshakeCostsARoundTrip(t *testing.T) {
	const rtt = 40 * time.Millisecond
	start := time.Now()
	conn, _ := path(t, Config{RTT: rtt})
	conn.Write([]byte("x"))
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 2*rtt {
		t.Fatalf("connecting and the echo took %v, less than two round trips of %v", took, rtt)
	}
}
