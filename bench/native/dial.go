package main

import (
	"context"
	"fmt"
	"io"
	"net"

	coder "github.com/coder/websocket"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// kinds are the rivals, in the order in which they are measured.
var kinds = []string{"direct", "plain ws", "sockmux", "chisel"}

// dialer opens connections to local ports over one session of a rival.
type dialer interface {
	dial(ctx context.Context, port int) (io.ReadWriteCloser, error)
	close()
}

// newDialer connects to a rival's server, over a line unless that is the zero value.
func (w *world) newDialer(ctx context.Context, kind string, path path) (dialer, error) {
	if kind == "direct" {
		return direct{w, path}, nil
	}
	port := w.servers[kind].port
	if path.rtt > 0 {
		var err error
		if port, err = w.targets.line(port, path); err != nil {
			return nil, err
		}
	}
	switch kind {
	case "plain ws":
		return plain(port), nil
	case "sockmux":
		return newSession(port), nil
	case "chisel":
		return dialChisel(ctx, port, w.targets.ports)
	}
	return nil, fmt.Errorf("no such rival: %q", kind)
}

type direct struct {
	world *world
	path  path
}

func (d direct) dial(ctx context.Context, port int) (io.ReadWriteCloser, error) {
	if d.path.rtt > 0 {
		var err error
		if port, err = d.world.targets.line(port, d.path); err != nil {
			return nil, err
		}
	}
	return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

func (direct) close() {}

// plain is one WebSocket for each connection.
type plain int

func (p plain) dial(ctx context.Context, port int) (io.ReadWriteCloser, error) {
	ws, _, err := coder.Dial(ctx, fmt.Sprintf("ws://127.0.0.1:%d/relay/%d", p, port), &coder.DialOptions{
		Subprotocols:    []string{"binary"},
		CompressionMode: coder.CompressionDisabled,
	})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(1 << 20)
	return closeNow{coder.NetConn(ctx, ws, coder.MessageBinary), ws}, nil
}

func (plain) close() {}

// closeNow spares the closing handshake, which is not measured.
type closeNow struct {
	net.Conn
	ws *coder.Conn
}

func (c closeNow) Close() error { return c.ws.CloseNow() }

// session is one client of sockmux.
type session struct{ *client.Client }

func newSession(port int) session {
	url := fmt.Sprintf("ws://127.0.0.1:%d/v1/connect", port)
	return session{client.New(client.Config{Agent: "bench", Bare: true, Dial: func(ctx context.Context) (link.Carrier, error) {
		return websocket.Dial(ctx, url, nil, nil)
	}})}
}

func (s session) dial(ctx context.Context, port int) (io.ReadWriteCloser, error) {
	stream, err := s.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("127.0.0.1"), Port: uint16(port)})
	if err != nil {
		return nil, err
	}
	result, err := stream.Result(ctx)
	if err != nil {
		return nil, err
	}
	if result.Code != wire.OK {
		return nil, fmt.Errorf("open: %s %s", result.Code, result.Text)
	}
	return stream, nil
}

func (s session) close() { s.Close() }
