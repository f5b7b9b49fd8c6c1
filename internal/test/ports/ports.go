// Package ports chooses ports for servers of tests that cannot choose one themselves.
package ports

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// Ports below those that systems give to programs that ask for any (Linux: from 32768 on), so
// that a port is still free when its server listens. e2e/harness/ports.js has others.
const lowest, count = 20_000, 10_000

// next is the next port that is tried, less lowest. Packages are tested at the same time, each in
// a process of its own.
var next = func() *atomic.Uint32 {
	n := new(atomic.Uint32)
	n.Store(rand.Uint32N(count))
	return n
}()

// Free returns a port at which no server of 127.0.0.1 listens, another one each time. It may be
// called concurrently.
func Free() (int, error) {
	var err error
	for range count {
		port := lowest + int(next.Add(1)%count)
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("no free port from %d on: %w", lowest, err)
}

// FreeFor is Free for a test, which it fails if there is none.
func FreeFor(t testing.TB) string {
	t.Helper()
	port, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	return strconv.Itoa(port)
}
