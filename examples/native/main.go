// Command native sends a line through a sockmux server to a target and prints what comes back: a Go program behind a firewall that lets only HTTPS out.
//
//	go run ./examples/native http://127.0.0.1:8088/ 127.0.0.1:PORT "a line"
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"

	"github.com/sockmux/sockmux/server/carrier"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: native SERVER HOST:PORT LINE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "native:", err)
		os.Exit(1)
	}
}

func run(server, target, line string) error {
	endpoint, err := url.JoinPath(server, wire.ConnectPath)
	if err != nil {
		return err
	}
	host, portText, err := net.SplitHostPort(target)
	if err != nil {
		return err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return fmt.Errorf("port %q: %w", portText, err)
	}

	// The client dials when the first stream is opened, and again when the connection is lost.
	c := client.New(client.Config{Bare: true, Dial: func(ctx context.Context) (link.Carrier, error) {
		c, err := carrier.Dial(ctx, endpoint, nil, nil)
		if err != nil {
			return nil, err // not a nil *carrier.Conn in an interface
		}
		return c, nil
	}})
	defer c.Close()

	stream, err := c.Open(wire.Request{Kind: wire.TCP, Host: host, Port: uint16(port)})
	if err != nil {
		return err
	}
	defer stream.Close()
	result, err := stream.Result(context.Background())
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", target, err)
	}
	if _, err := fmt.Fprintln(stream, line); err != nil {
		return err
	}
	if err := stream.CloseWrite(); err != nil { // the target sees the end, and may still answer
		return err
	}
	_, err = io.Copy(os.Stdout, stream)
	return err
}
