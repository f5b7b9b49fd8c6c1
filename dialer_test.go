//go:build !js

package sockmux_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// patience is how long a server may take to notice that a client is gone.
const patience = 20 * time.Second

func dialerFor(t *testing.T, s *product.Server) *sockmux.Dialer {
	t.Helper()
	d := &sockmux.Dialer{URL: s.URL()}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// TestDialHost: a host that a program has as a name or as an address needs no text of both.
func TestDialHost(t *testing.T) {
	d := dialerFor(t, product.Start(t, "--allow", "127.0.0.1", "--allow", "localhost"))
	target := product.Echo(t)
	for _, host := range []wire.Host{wire.HostOf(target.Addr()), wire.ParseHost("localhost")} {
		conn, err := d.DialHost(t.Context(), "tcp4", host, target.Port())
		if err != nil {
			t.Fatalf("%s: %v", host, err)
		}
		if got := conn.RemoteAddr().String(); got != target.String() {
			t.Errorf("%s: connected to %s, want %s", host, got, target)
		}
		_ = conn.Close() // nothing is under way
	}
	var failed *net.OpError
	if _, err := d.DialHost(t.Context(), "tcp", wire.ParseHost("name.invalid"), 80); !errors.As(err, &failed) || failed.Addr.String() != "name.invalid:80" {
		t.Errorf("a name that does not exist: %v", err)
	}
}

// TestNoServerURL: a URL that names no server is refused at once. It is no failed connection,
// and no part of a path becomes a host.
func TestNoServerURL(t *testing.T) {
	for _, url := range []string{"", "http://", "127.0.0.1:8088", "ftp://127.0.0.1/"} {
		d := &sockmux.Dialer{URL: url, Token: "secret"}
		_, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:80")
		if coded := (*wire.Error)(nil); err == nil || errors.As(err, &coded) || !strings.Contains(err.Error(), "URL") {
			t.Errorf("%q: %v", url, err)
		}
		_ = d.Close() // it returns nil
	}
}

func TestErrors(t *testing.T) {
	dns := product.DNS{}.Serve(t, "127.0.0.1:0")
	server := product.Start(t, "--allow", "127.0.0.1", "--dns", dns)
	d := dialerFor(t, server)
	refusing := servertest.Refusing(t)
	for _, test := range []struct {
		network, address string
		code             wire.Code
		is               error
		timeout          bool
	}{
		{"tcp", refusing, wire.Refused, syscall.ECONNREFUSED, false},
		{"tcp4", refusing, wire.Refused, syscall.ECONNREFUSED, false},
		{"tcp", "127.0.0.2:80", wire.Denied, syscall.EACCES, false},
		{"tcp", "unknown.test:80", wire.NameNotFound, nil, false},
	} {
		_, err := d.DialContext(t.Context(), test.network, test.address)
		var op *net.OpError
		var coded *wire.Error
		if !errors.As(err, &op) || op.Op != "dial" || op.Net != test.network || op.Addr.String() != test.address {
			t.Errorf("%s: %#v is no *net.OpError of the dial", test.address, err)
		}
		if !errors.As(err, &coded) || coded.Code != test.code {
			t.Errorf("%s: %v has not the code %v", test.address, err, test.code)
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %v is not %v", test.address, err, test.is)
		}
		if op != nil && op.Timeout() != test.timeout {
			t.Errorf("%s: Timeout() of %v", test.address, err)
		}
	}
	var dnsError *net.DNSError
	if _, err := d.Dial("tcp", "unknown.test:80"); !errors.As(err, &dnsError) || !dnsError.IsNotFound || dnsError.Name != "unknown.test" {
		t.Errorf("%v is no *net.DNSError for unknown.test", err)
	}
}

func TestBadAddresses(t *testing.T) {
	d := &sockmux.Dialer{URL: "http://127.0.0.1:1/"}
	defer d.Close()
	for _, test := range []struct{ network, address, text string }{
		{"unix", "127.0.0.1:1", "unknown network unix"},
		{"tcp", "127.0.0.1", "missing port in address"},
		{"tcp", ":80", "missing host"},
		{"tcp", "127.0.0.1:nothing", "nothing"},
		{"tcp", "127.0.0.1:70000", "invalid port"},
		{"tcp", "a b:80:90", "too many colons"},
	} {
		if _, err := d.Dial(test.network, test.address); err == nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s %s: %v", test.network, test.address, err)
		}
	}
	for _, test := range []struct {
		network string
		host    wire.Host
		text    string
	}{
		{"unix", wire.ParseHost("127.0.0.1"), "unknown network unix"},
		{"tcp", wire.Host{}, "missing host"},
	} {
		if _, err := d.DialHost(t.Context(), test.network, test.host, 80); err == nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s %q: %v", test.network, test.host, err)
		}
	}
	if got := d.Status().State; got != sockmux.StateIdle {
		t.Errorf("state %s after addresses that need no server", got)
	}
	if _, err := new(sockmux.Dialer).Dial("tcp", "127.0.0.1:80"); err == nil || !strings.Contains(err.Error(), "no URL") {
		t.Errorf("without a URL: %v", err)
	}
}

// TestNoServer: a dial fails with the reason, in bounded time.
func TestNoServer(t *testing.T) {
	d := &sockmux.Dialer{URL: "http://" + servertest.Refusing(t)}
	defer d.Close()
	_, err := d.Dial("tcp", "127.0.0.1:80")
	if !errors.Is(err, wire.NewError(wire.NotConnected, "")) || !errors.Is(err, syscall.ENETDOWN) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

// TestCancel: a dial that is given up ends here and at the server.
func TestCancel(t *testing.T) {
	asked := make(chan string, 10)
	dns := product.DNS{Unknown: func(name string) { asked <- name }}.Serve(t, "127.0.0.1:0")
	server := product.Start(t, "--dns", dns, "--admin", "127.0.0.1:0")
	d := dialerFor(t, server)

	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := d.DialContext(ctx, "tcp", "slow.test:80")
	var netError net.Error
	if !errors.Is(err, context.Canceled) || !errors.As(err, &netError) || netError.Timeout() {
		t.Errorf("canceled: %v", err)
	}
	servertest.Eventually(t, patience, "the server has given up the canceled dial", func() bool { return server.Counts(t).Streams == 0 })

	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = d.DialContext(ctx, "tcp", "slow.test:80")
	if !errors.As(err, &netError) || !netError.Timeout() {
		t.Errorf("with a deadline: %v", err)
	}
	servertest.Eventually(t, patience, "the server has given up the late dial", func() bool { return server.Counts(t).Streams == 0 })
}

// TestCloseDelivers: what Write took arrives behind Close, of the connection and of the dialer.
func TestCloseDelivers(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	want := bytes.Repeat([]byte("sockmux "), 40_000)
	got := make(chan []byte, 1)
	target := product.Target(t, func(c *net.TCPConn) {
		all, err := io.ReadAll(c)
		if err != nil {
			t.Errorf("the target read %d bytes, then %v", len(all), err)
		}
		got <- all
	})
	for name, end := range map[string]func(*sockmux.Dialer, net.Conn){
		"the connection": func(_ *sockmux.Dialer, c net.Conn) { _ = c.Close() },
		"the dialer":     func(d *sockmux.Dialer, _ net.Conn) { _ = d.Close() },
		"both":           func(d *sockmux.Dialer, c net.Conn) { _ = c.Close(); _ = d.Close() },
	} {
		d := dialerFor(t, server)
		conn, err := d.Dial("tcp", target.String())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Write(want); n != len(want) || err != nil {
			t.Fatalf("%s: wrote %d bytes, %v", name, n, err)
		}
		end(d, conn)
		if all := <-got; !bytes.Equal(all, want) {
			t.Errorf("%s: %d of %d bytes arrived", name, len(all), len(want))
		}
	}
}

// TestHalfClose: the target answers behind the end of what it was sent.
func TestHalfClose(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	target := product.Target(t, func(c *net.TCPConn) {
		all, _ := io.ReadAll(c)
		_, _ = c.Write(bytes.ToUpper(all))
	})
	conn, err := dialerFor(t, server).Dial("tcp", target.String())
	if err != nil {
		t.Fatal(err)
	}
	c := conn.(*sockmux.Conn)
	if _, err := io.WriteString(c, "question"); err != nil {
		t.Fatal(err)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("more")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a write behind CloseWrite: %v", err)
	}
	if all, err := io.ReadAll(c); string(all) != "QUESTION" || err != nil {
		t.Errorf("the answer is %q, %v", all, err)
	}
	if c.RemoteAddr().String() != target.String() {
		t.Errorf("remote address %s, want %s", c.RemoteAddr(), target)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a second Close: %v", err)
	}
}

// TestReset: the target's connection is reset.
func TestReset(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	got := make(chan error, 1)
	target := product.Target(t, func(c *net.TCPConn) {
		_, err := io.Copy(io.Discard, c)
		got <- err
	})
	conn, err := dialerFor(t, server).Dial("tcp", target.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.(*sockmux.Conn).Reset()
	if err := <-got; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target sees %v", err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read behind Reset: %v", err)
	}
	if _, err := conn.Write(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write behind Reset: %v", err)
	}
}

// TestPeerReset: a reset of the target's reaches Read and Write with its errno.
func TestPeerReset(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	target := product.Target(t, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.SetLinger(0)
	})
	conn, err := dialerFor(t, server).Dial("tcp", target.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err = conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read: %v", err)
	}
	if _, err = conn.Write(make([]byte, 1<<20)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("write: %v", err)
	}
}

// TestBlockedWriteEnds: a deadline and Close end a Write to a target that reads nothing.
func TestBlockedWriteEnds(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	release := make(chan struct{})
	target := product.Target(t, func(*net.TCPConn) { <-release })
	t.Cleanup(func() { close(release) })
	conn, err := dialerFor(t, server).Dial("tcp", target.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetWriteDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 1<<20)
	for err == nil {
		_, err = conn.Write(big)
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("at the deadline: %v", err)
	}
	if err := conn.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	blocked := make(chan error)
	go func() {
		_, err := conn.Write(big)
		blocked <- err
	}()
	_ = conn.Close()
	if err := <-blocked; !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestClosedDialer: a closed dialer dials no more and its connections have ended.
func TestClosedDialer(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1", "--admin", "127.0.0.1:0")
	d := dialerFor(t, server)
	conn, err := d.Dial("tcp", product.Echo(t).String())
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Status().State; got != sockmux.StateOpen {
		t.Errorf("state %s", got)
	}
	if err := errors.Join(d.Close(), d.Close()); err != nil {
		t.Error(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	if _, err := d.Dial("tcp", "127.0.0.1:1"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("dial: %v", err)
	}
	servertest.Eventually(t, patience, "the session has ended", func() bool { return server.Counts(t).Sessions == 0 })
}

// TestCloseGivesUp: a target that reads nothing does not hold Close for longer than its bound, and
// sees a reset.
func TestCloseGivesUp(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	release := make(chan struct{})
	got := make(chan error, 1)
	target := product.Target(t, func(c *net.TCPConn) {
		<-release
		_, err := io.Copy(io.Discard, c)
		got <- err
	})
	d := dialerFor(t, server)
	conn, err := d.Dial("tcp", target.String())
	if err != nil {
		t.Fatal(err)
	}
	// Until the target's system, the server and the session take nothing any more.
	for n := 1; n > 0; {
		if err := conn.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err = conn.Write(make([]byte, 64<<10)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	close(release)
	if err := <-got; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target sees %v", err)
	}
}
