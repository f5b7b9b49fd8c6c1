package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"

	chclient "github.com/jpillora/chisel/client"
	chserver "github.com/jpillora/chisel/server"

	"github.com/sockmux/sockmux/internal/test/ports"
)

// serveChisel is the process of the chisel server; it ends with a signal.
func serveChisel(port string) error {
	server, err := chserver.NewServer(&chserver.Config{})
	if err != nil {
		return err
	}
	server.Info = false
	return server.Run("127.0.0.1", port)
}

// chisel is a client with one local port for each target, which is how it is used.
type chisel struct {
	client *chclient.Client
	cancel context.CancelFunc
	local  map[int]int
}

func dialChisel(ctx context.Context, port int, targets map[string]int) (*chisel, error) {
	c := &chisel{local: map[int]int{}}
	var remotes []string
	for _, service := range []string{"echo", "source", "sink"} {
		target := targets[service]
		local, err := ports.Free()
		if err != nil {
			return nil, err
		}
		c.local[target] = local
		remotes = append(remotes, fmt.Sprintf("127.0.0.1:%d:127.0.0.1:%d", local, target))
	}
	var err error
	if c.client, err = chclient.NewClient(&chclient.Config{Server: "http://127.0.0.1:" + strconv.Itoa(port), Remotes: remotes}); err != nil {
		return nil, err
	}
	ctx, c.cancel = context.WithCancel(ctx)
	if err := c.client.Start(ctx); err != nil {
		c.cancel()
		return nil, err
	}
	for _, local := range c.local {
		if err := listening(local, "chisel's client"); err != nil {
			c.close()
			return nil, err
		}
	}
	return c, nil
}

func (c *chisel) dial(ctx context.Context, port int) (io.ReadWriteCloser, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", c.local[port]))
}

func (c *chisel) close() {
	c.cancel()
	_ = c.client.Close() // its listeners go with the context
	_ = c.client.Wait()
}
