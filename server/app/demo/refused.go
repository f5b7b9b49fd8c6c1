package demo

import (
	"context"
	"fmt"
	"net"
)

// unusedPort is a port without a listener, on which no other program can begin to listen: it
// is held by the client's end of a connection. It was bound before the connection was
// made, so the system does not give it to other connections either.
type unusedPort struct{ held, peer net.Conn }

func holdUnusedPort(ctx context.Context, host string) (*unusedPort, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(host)}}
	held, err := dialer.DialContext(ctx, "tcp", listener.Addr().String())
	if err != nil {
		return nil, err
	}
	for {
		peer, err := listener.Accept()
		if err != nil {
			_ = held.Close()
			return nil, fmt.Errorf("accepting the own connection: %w", err)
		}
		if peer.RemoteAddr().String() == held.LocalAddr().String() {
			return &unusedPort{held, peer}, nil
		}
		_ = peer.Close() // another program has found the port in the meantime
	}
}

func (u *unusedPort) port() uint16 { return portOf(u.held.LocalAddr()) }

func (u *unusedPort) close() {
	_ = u.held.Close()
	_ = u.peer.Close()
}
