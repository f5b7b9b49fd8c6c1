package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"
)

// Every connection of the server keeps little unsent data in the kernel.
func TestUnsent(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(t.Context(), http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	set := server.ConnContext
	values := make(chan int, 1)
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		ctx = set(ctx, c)
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Error(err)
			close(values)
			return ctx
		}
		if err := raw.Control(func(fd uintptr) {
			value, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat)
			if err != nil {
				t.Error(err)
			}
			values <- value
		}); err != nil {
			t.Error(err)
		}
		return ctx
	}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if value := <-values; value != unsentBytes {
		t.Errorf("%d bytes, want %d", value, unsentBytes)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	<-served
}
