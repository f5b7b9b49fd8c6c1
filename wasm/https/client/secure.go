package client

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/sockmux/sockmux/wasm/https/message"
)

// secure does TLS over a stream of the page. given is the server's name, NUL, and the protocols to
// agree on, with commas.
func (c *Client) secure(t *task, a *agent, given string) error {
	host, list, _ := strings.Cut(given, "\x00")
	var protocols []string
	if list != "" {
		protocols = strings.Split(list, ",")
	}
	conn, err := a.secure(t.ctx, c.streams.Adopt(t.id), host, protocols)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(t.ctx, func() { _ = conn.NetConn().Close() })
	defer stop()
	c.page.Tell(message.Head, t.id, 0, []byte(conn.ConnectionState().NegotiatedProtocol))
	up, ended := make(chan error, 1), make(chan struct{})
	go func() {
		_, err := io.CopyBuffer(onlyWriter{conn}, t.up, make([]byte, bufferSize))
		if err == nil {
			err = conn.CloseWrite()
		}
		if err == nil {
			select {
			case <-t.ends:
				err = errEnds
			case <-ended:
			}
		}
		if err != nil {
			t.down.Fail(err)
			_ = conn.Close() // a read under way ends
		}
		up <- err
	}()
	down := c.copyDown(t, conn)
	if down == nil {
		c.page.Tell(message.End, t.id, 0, nil)
	} else {
		t.up.Fail(down)
		_ = conn.NetConn().Close() // a write under way ends
	}
	close(ended)
	switch err := <-up; {
	case err == errEnds:
		return nil
	case down == nil:
		return err
	default:
		return down
	}
}

// errEnds is the end of a connection that the page has closed.
var errEnds = errors.New("ended by the page")

// onlyWriter hides ReadFrom.
type onlyWriter struct{ io.Writer }
