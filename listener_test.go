//go:build !js

package sockmux_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"golang.org/x/net/nettest"
)

// listenOn listens at the server, and closes the listener at the end of the test.
func listenOn(t *testing.T, d *sockmux.Dialer, address string) net.Listener {
	t.Helper()
	l, err := d.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // a test may have closed it
	return l
}

// TestListenerConn holds accepted connections against the contract of net.Conn.
func TestListenerConn(t *testing.T) {
	server := product.Start(t, "--allow-listen", "127.0.0.1:*")
	l := listenOn(t, dialerFor(t, server), "localhost:0")
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		if c2, err = net.Dial("tcp", l.Addr().String()); err != nil {
			return nil, nil, nil, err
		}
		if c1, err = l.Accept(); err != nil {
			return nil, nil, nil, err
		}
		if c1.RemoteAddr().String() != c2.LocalAddr().String() || c1.LocalAddr().String() != l.Addr().String() {
			t.Errorf("accepted %s at %s", c1.RemoteAddr(), c1.LocalAddr())
		}
		return c1, c2, func() {
			_ = c1.Close() // a test may have closed it
			_ = c2.Close()
		}, nil
	})
}

// TestListenHTTP: an http.Server serves over a Listener, many at once, and shuts down.
func TestListenHTTP(t *testing.T) {
	server := product.Start(t, "--allow-listen", "127.0.0.1:*")
	l := listenOn(t, dialerFor(t, server), ":0")
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello %s", r.URL.Path)
	})}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var all sync.WaitGroup
	for i := range 60 {
		all.Go(func() {
			response, err := client.Get(fmt.Sprintf("http://%s/%d", l.Addr(), i))
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if b, err := io.ReadAll(response.Body); err != nil || string(b) != fmt.Sprintf("hello /%d", i) {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	all.Wait()
	if err := web.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	portFree(t, l.Addr().String())
}

func portFree(t *testing.T, address string) {
	t.Helper()
	servertest.Eventually(t, patience, "the port is free", func() bool {
		l, err := net.Listen("tcp", address)
		if err == nil {
			_ = l.Close()
		}
		return err == nil
	})
}

func TestListenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	closed := dialerFor(t, product.Start(t))
	d := dialerFor(t, product.Start(t, "--allow-listen", "127.0.0.1:"+port, "--allow-listen", "192.0.2.1:80"))
	for _, test := range []struct {
		dialer           *sockmux.Dialer
		network, address string
		is               error
	}{
		{closed, "tcp", "127.0.0.1:0", syscall.EACCES},
		{d, "tcp", "127.0.0.1:1", syscall.EACCES},
		{d, "tcp6", ":0", syscall.EACCES},
		{d, "tcp", taken.Addr().String(), syscall.EADDRINUSE},
		{d, "tcp4", ":" + port, syscall.EADDRINUSE},
		{d, "tcp", "192.0.2.1:80", syscall.EADDRNOTAVAIL},
		{d, "udp", "127.0.0.1:0", net.UnknownNetworkError("udp")},
		{d, "tcp", "example.org:80", nil},
		{d, "tcp4", "[::1]:80", nil},
		{d, "tcp", "127.0.0.1", nil},
	} {
		_, err := test.dialer.Listen(t.Context(), test.network, test.address)
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "listen" || op.Addr.String() != test.address || test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s %s: %v, want %v", test.network, test.address, err, test.is)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Listen(ctx, "tcp", "127.0.0.1:"+port); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestListenerClose: Close wakes Accept, resets what was not accepted and leaves what was.
func TestListenerClose(t *testing.T) {
	server := product.Start(t, "--allow-listen", "127.0.0.1:*")
	d := dialerFor(t, server)
	for name, end := range map[string]func(net.Listener) error{
		"listener": net.Listener.Close,
		"dialer":   func(net.Listener) error { return d.Close() },
	} {
		l := listenOn(t, d, "127.0.0.1:0")
		dial := func() net.Conn {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		first := dial()
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		left := []net.Conn{dial(), dial()}
		_ = l.(*sockmux.Listener).SetDeadline(time.Now().Add(-time.Second))
		if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: behind the deadline: %v", name, err)
		}
		_ = l.(*sockmux.Listener).SetDeadline(time.Time{})
		if name == "listener" {
			if err := end(l); err != nil {
				t.Error(err)
			}
			if _, err := accepted.Write([]byte("still here")); err != nil {
				t.Error(err)
			}
			_ = accepted.Close() // it delivers
			if b, err := io.ReadAll(first); err != nil || string(b) != "still here" {
				t.Errorf("%q, %v", b, err)
			}
		} else {
			waits := make(chan error, 1)
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						waits <- err
						return
					}
					_ = conn.(*sockmux.Conn).Reset()
				}
			}()
			if err := end(l); err != nil {
				t.Error(err)
			}
			if err := <-waits; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Accept under way: %v", err)
			}
		}
		for _, conn := range left {
			if n, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: not accepted: %d bytes, %v", name, n, err)
			}
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		portFree(t, l.Addr().String())
		if name == "dialer" {
			return
		}
	}
}

// TestListenerSurvives: a listener survives its WebSocket. Connections that come meanwhile wait,
// and those that are being accepted arrive.
func TestListenerSurvives(t *testing.T) {
	server := product.Start(t, "--allow-listen", "127.0.0.1:*")
	proxy, err := fault.Listen(server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	d := &sockmux.Dialer{URL: "http://" + proxy.Addr() + "/"}
	t.Cleanup(func() { _ = d.Close() })
	l := listenOn(t, d, "127.0.0.1:0")
	for round := range 8 {
		if round%2 == 1 { // the client stays away for some of them
			proxy.Set(fault.Conduct{Answer: "HTTP/1.1 503 Service Unavailable\r\n\r\n"})
		}
		proxy.Cut(fault.Reset)
		var outside []net.Conn
		for i := range 12 {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			_, _ = conn.Write([]byte{'a' + byte(i)}) // is read below
			outside = append(outside, conn)
			if i == 5 {
				proxy.Set(fault.Conduct{})
				proxy.Cut(fault.Reset)
			}
		}
		for range outside {
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				_, _ = io.CopyN(conn, conn, 1) // the other end checks
				_ = conn.Close()
			}()
		}
		for i, conn := range outside {
			if b, err := io.ReadAll(conn); err != nil || string(b) != string(rune('a'+i)) {
				t.Errorf("round %d, connection %d: %q, %v", round, i, b, err)
			}
			_ = conn.Close()
		}
	}
}
