package relay

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/wire"
)

// watched is a dialer whose connections the test gets too.
type watched struct {
	egress.Dialer
	conns chan egress.Conn
}

func (w watched) DialContext(ctx context.Context, host wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (egress.Conn, error) {
	conn, err := w.Dialer.DialContext(ctx, host, addr, check)
	if err == nil {
		w.conns <- conn
	}
	return conn, err
}

// socket are options as the system has them.
type socket struct{ noDelay, keepAlive, idle, interval, count int }

func socketOf(t *testing.T, conn egress.Conn) (s socket) {
	t.Helper()
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		for _, option := range []struct {
			level, name int
			to          *int
		}{
			{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, &s.noDelay},
			{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, &s.keepAlive},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, &s.idle},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, &s.interval},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, &s.count},
		} {
			if *option.to, err = syscall.GetsockoptInt(int(fd), option.level, option.name); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// own is what the server sets by itself.
var own = socket{1, 1, 60, 15, 4}

// Options of a request and later ones are seen on the target's socket, within the server's bounds.
func TestSocketOptions(t *testing.T) {
	target := listen(t, untilEnd)
	conns := make(chan egress.Conn, 1)
	r := local(t, Config{})
	r.dialer = watched{r.dialer, conns}
	client, _ := session(t, r)
	for _, test := range []struct {
		name  string
		first wire.SocketOptions
		then  []wire.SocketOptions
		want  socket
	}{
		{"none", wire.SocketOptions{}, nil, own},
		{"of the request", wire.SocketOptions{NoDelay: wire.Off, KeepAlive: wire.On, KeepIdle: 5 * time.Second, KeepInterval: 2 * time.Second, KeepCount: 3}, nil, socket{0, 1, 5, 2, 3}},
		{"later", wire.SocketOptions{}, []wire.SocketOptions{{NoDelay: wire.Off}, {KeepAlive: wire.On}, {KeepIdle: 7 * time.Second}}, socket{0, 1, 7, 15, 4}},
		{"later over those of the request", wire.SocketOptions{NoDelay: wire.Off, KeepAlive: wire.On, KeepIdle: 5 * time.Second}, []wire.SocketOptions{{NoDelay: wire.On}, {KeepCount: 9}}, socket{1, 1, 5, 15, 9}},
		{"times without keepalive", wire.SocketOptions{KeepIdle: 5 * time.Second, NoDelay: wire.Off}, nil, socket{0, 1, 60, 15, 4}},
		{"the server's keepalive stays", wire.SocketOptions{KeepAlive: wire.On, KeepIdle: 5 * time.Second}, []wire.SocketOptions{{KeepAlive: wire.Off}}, own},
		{"bounds", wire.SocketOptions{KeepAlive: wire.On, KeepIdle: (1<<32 - 1) * time.Second, KeepInterval: (1<<32 - 1) * time.Second, KeepCount: 1 << 31}, nil, socket{1, 1, 7200, 150, 16}},
	} {
		stream, err := client.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: target.addr.Port(), Socket: test.first})
		if err != nil {
			t.Fatal(err)
		}
		conn := <-conns
		for _, options := range test.then {
			stream.SetSocketOptions(options)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if result, err := stream.Result(ctx); err != nil || result.Code != wire.OK {
			t.Fatalf("%s: %+v, %v", test.name, result, err)
		}
		cancel()
		servertest.Eventually(t, patience, fmt.Sprintf("%s: %+v", test.name, test.want), func() bool { return socketOf(t, conn) == test.want })
		_ = stream.Reset(wire.Aborted, "")
	}
}
