//go:build !js

package sockmux_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestListenBesideStrangers: a session takes all ports that it may have, accepts nothing, and
// strangers fill its backlogs and reset what they open. An honest neighbor's listener serves, and
// the ports are free when the session has ended.
func TestListenBesideStrangers(t *testing.T) {
	const maxListeners, strangers, exchanges = 4, 200, 40
	server := product.Start(t, "--allow-listen", "127.0.0.1:*", "--max-listeners", fmt.Sprint(maxListeners))
	honest := listenOn(t, dialerFor(t, server), "localhost:0")
	go func() {
		for {
			conn, err := honest.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // the client compares
			}()
		}
	}()

	greedy := dialerFor(t, server)
	var taken []net.Listener
	for len(taken) <= maxListeners {
		l, err := greedy.Listen(t.Context(), "tcp", "localhost:0")
		if err != nil {
			if !errors.Is(err, wire.NewError(wire.Limit, "")) {
				t.Fatal(err)
			}
			break
		}
		taken = append(taken, l)
	}
	if len(taken) != maxListeners {
		t.Fatalf("%d listeners in one session, want %d", len(taken), maxListeners)
	}
	for i := range strangers {
		l := taken[i%len(taken)]
		conn, err := net.DialTimeout("tcp", l.Addr().String(), patience)
		if err != nil {
			continue // its backlog is full
		}
		if i%2 == 0 {
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
			continue
		}
		t.Cleanup(func() { _ = conn.Close() }) // it never speaks
	}

	for i := range exchanges {
		conn, err := net.Dial("tcp", honest.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(patience))
		text := fmt.Sprintf("exchange %d", i)
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(conn); err != nil || string(b) != text {
			t.Fatalf("the neighbor got %q, %v", b, err)
		}
		_ = conn.Close()
	}
	if err := greedy.Close(); err != nil {
		t.Error(err)
	}
	for _, l := range taken {
		portFree(t, l.Addr().String())
	}
}
