package sockmux_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/sockmux/sockmux"
)

// These tests run in a page: e2e/go.test.js builds the test program and gives it by environment
// SOCKMUX_URL, which is empty where the page's own session is to be used; SOCKMUX_CROSSING, a
// target that joins each two connections; SOCKMUX_REFUSING, which has no listener; and
// SOCKMUX_LISTEN, where an http.Server is to listen until it is asked for /end.

var dialer = &sockmux.Dialer{URL: os.Getenv("SOCKMUX_URL")}

func TestMain(m *testing.M) {
	code := m.Run()
	_ = dialer.Close() // always nil
	os.Exit(code)
}

func TestConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		if c1, err = dialer.Dial("tcp", os.Getenv("SOCKMUX_CROSSING")); err != nil {
			return nil, nil, nil, err
		}
		if c2, err = dialer.Dial("tcp", os.Getenv("SOCKMUX_CROSSING")); err != nil {
			return nil, nil, nil, err
		}
		return c1, c2, func() {
			_ = c1.Close() // a test may have closed it
			_ = c2.Close()
		}, nil
	})
}

// TestShortKeepAlive: a time that the page does not take is no exception that ends the program.
func TestShortKeepAlive(t *testing.T) {
	conn, err := dialer.Dial("tcp", os.Getenv("SOCKMUX_CROSSING"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := dialer.Dial("tcp", os.Getenv("SOCKMUX_CROSSING"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	defer other.Close()
	if err := conn.(*sockmux.Conn).SetKeepAlivePeriod(time.Millisecond); err != nil {
		t.Error(err)
	}
}

// TestReadBehindReset: a Read fails as that of package net does.
func TestReadBehindReset(t *testing.T) {
	conn, err := dialer.Dial("tcp", os.Getenv("SOCKMUX_CROSSING"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := dialer.Dial("tcp", os.Getenv("SOCKMUX_CROSSING"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := conn.(*sockmux.Conn).Reset(); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read behind Reset: %v", err)
	}
}

func TestRefused(t *testing.T) {
	_, err := dialer.Dial("tcp", os.Getenv("SOCKMUX_REFUSING"))
	var op *net.OpError
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) {
		t.Errorf("%v", err)
	}
}

// TestListenHTTP: an http.Server over a Listener answers the requests that the other end of the
// test sends, many at once, and shuts down. Then the port is free.
func TestListenHTTP(t *testing.T) {
	address := os.Getenv("SOCKMUX_LISTEN")
	l, err := dialer.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if l.Addr().String() != address {
		t.Errorf("listens on %s", l.Addr())
	}
	if _, err := dialer.Listen(t.Context(), "tcp", address); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a second listener: %v", err)
	}
	if _, err := dialer.Listen(t.Context(), "tcp", "192.0.2.1:80"); !errors.Is(err, syscall.EACCES) {
		t.Errorf("an address that the policy forbids: %v", err)
	}
	end := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%d bytes of the body: %v", len(b), err)
		}
		_, _ = w.Write(b) // the other end compares
	})
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.RemoteAddr)
		close(end)
	})
	web := &http.Server{Handler: mux}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }()
	<-end
	if err := web.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("an Accept behind Close: %v", err)
	}
	again, err := dialer.Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
