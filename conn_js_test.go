package sockmux_test

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/nettest"

	"github.com/sockmux/sockmux"
)

// These tests run in a page: e2e/go.test.js builds the test program and gives it by environment
// SOCKMUX_URL, which is empty where the page's own session is to be used; SOCKMUX_CROSSING, a
// target that joins each two connections; and SOCKMUX_REFUSING, which has no listener.

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
