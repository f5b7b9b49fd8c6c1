package egress

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds tests that would hang; none takes a fraction of it.
const patience = 20 * time.Second

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// serve runs handle for every connection to a port of the loopback interface; handle need
// not close them.
func serve(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		group.Wait()
	})
	group.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			group.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// afterwards is a target that says what it got once the client has ended its half.
func afterwards(conn net.Conn) {
	got, _ := io.ReadAll(conn)
	_, _ = io.WriteString(conn, "got "+string(got))
}

// splice copies both ways and keeps half-closes.
func splice(a, b interface {
	net.Conn
	CloseWrite() error
}, fromA io.Reader,
) {
	var group sync.WaitGroup
	group.Go(func() {
		_, _ = io.Copy(b, fromA)
		_ = b.CloseWrite()
	})
	_, _ = io.Copy(a, b)
	_ = a.CloseWrite()
	group.Wait()
}

// asked is what a proxy was asked for.
type asked struct {
	mu   sync.Mutex
	list []string
}

func (a *asked) add(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, text)
}

func (a *asked) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.list, ", ")
}

type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// httpProxy serves one connection as a CONNECT proxy. answer is written in place of the
// usual 200 if it is not empty; then there is no tunnel.
func httpProxy(log *asked, answer string) func(net.Conn) {
	return func(conn net.Conn) {
		reader := bufio.NewReader(conn)
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		log.add(strings.TrimSpace(request.Method + " " + request.RequestURI + " " + request.Host + " " + request.Header.Get("Proxy-Authorization")))
		if answer != "" {
			_, _ = io.WriteString(conn, answer)
			_, _ = io.Copy(io.Discard, reader)
			return
		}
		target, err := net.Dial("tcp", request.RequestURI)
		if err != nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
			return
		}
		defer target.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
		splice(conn.(halfCloser), target.(halfCloser), reader)
	}
}

// socksProxy serves one connection as a SOCKS5 proxy that wants user and password if they
// are not empty. reply is sent in place of the usual one if it is not nil.
func socksProxy(log *asked, password string, reply []byte) func(net.Conn) {
	return func(conn net.Conn) {
		head := make([]byte, 2)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		methods := make([]byte, head[1])
		_, _ = io.ReadFull(conn, methods)
		if password == "" {
			_, _ = conn.Write([]byte{5, 0})
		} else {
			if !strings.Contains(string(methods), "\x02") {
				_, _ = conn.Write([]byte{5, 0xff})
				return
			}
			_, _ = conn.Write([]byte{5, 2})
			var got []string
			_, _ = io.ReadFull(conn, head[:1])
			for range 2 {
				_, _ = io.ReadFull(conn, head[:1])
				part := make([]byte, head[0])
				_, _ = io.ReadFull(conn, part)
				got = append(got, string(part))
			}
			if strings.Join(got, ":") != password {
				_, _ = conn.Write([]byte{1, 1})
				return
			}
			_, _ = conn.Write([]byte{1, 0})
		}
		request := make([]byte, 4)
		if _, err := io.ReadFull(conn, request); err != nil {
			return
		}
		size := 4
		if request[3] == 4 {
			size = 16
		}
		rest := make([]byte, size+2)
		_, _ = io.ReadFull(conn, rest)
		ip, _ := netip.AddrFromSlice(rest[:size])
		addr := netip.AddrPortFrom(ip, binary.BigEndian.Uint16(rest[size:]))
		log.add(addr.String())
		if reply != nil {
			_, _ = conn.Write(reply)
			_, _ = io.Copy(io.Discard, conn)
			return
		}
		target, err := net.Dial("tcp", addr.String())
		if err != nil {
			_, _ = conn.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		defer target.Close()
		_, _ = conn.Write([]byte{5, 0, 0, 1, 203, 0, 113, 7, 0x12, 0x34})
		splice(conn.(halfCloser), target.(halfCloser), conn)
	}
}

func allow(netip.AddrPort) error { return nil }

func open(t *testing.T, config Config) Dialer {
	t.Helper()
	dialer, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return dialer
}

// wantError wants an error whose code and text for the page are told, and whose text for
// the log is log; empty: any.
func wantError(t *testing.T, err error, page, log string) {
	t.Helper()
	var own *wire.Error
	if !errors.As(err, &own) {
		t.Fatalf("%v is no *wire.Error", err)
	}
	if own.Error() != page {
		t.Errorf("the page is told\n     %s\nwant %s", own, page)
	}
	if log != "" && err.Error() != log {
		t.Errorf("the log is told\n     %s\nwant %s", err, log)
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
