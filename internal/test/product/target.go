package product

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// Target starts a TCP service on 127.0.0.1. serve runs in a goroutine of its own for each
// connection, which is closed when serve returns. At the test's end all connections are
// closed and Target waits for every serve, which must return then.
func Target(t testing.TB, serve func(*net.TCPConn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service := &target{conns: make(map[*net.TCPConn]struct{})}
	service.tasks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the listener was closed
			}
			service.take(conn.(*net.TCPConn), serve)
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // it has no other fault than being closed
		service.close()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// target is the connections of a service.
type target struct {
	tasks sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[*net.TCPConn]struct{}
}

func (s *target) take(conn *net.TCPConn, serve func(*net.TCPConn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close() // nothing was read or written
		return
	}
	s.conns[conn] = struct{}{}
	s.tasks.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.conns, conn)
			_ = conn.Close() // serve may have closed it
		}()
		serve(conn)
	})
}

func (s *target) close() {
	s.mu.Lock()
	s.closed = true
	for conn := range s.conns {
		_ = conn.Close() // serve may have closed it
	}
	s.mu.Unlock()
	s.tasks.Wait()
}

// Echo starts a service that sends back what it gets.
func Echo(t testing.TB) netip.AddrPort {
	t.Helper()
	return Target(t, func(conn *net.TCPConn) {
		_, _ = io.Copy(conn, conn) // the client tells the test what went wrong
	})
}
