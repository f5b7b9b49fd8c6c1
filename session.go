package sockmux

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/sockmux/sockmux/internal/serverurl"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/incoming"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// A session carries the streams of a Dialer. One is a client of this program's, another the
// page's own.
type session interface {
	// open opens a stream and waits for the server's result, whose code is ok then. When ctx
	// ends, it gives the stream up and returns.
	open(ctx context.Context, request wire.Request) (stream, wire.Result, error)
	// listen listens at the server, whose result's code is ok then.
	listen(ctx context.Context, request wire.Request, backlog int) (incomingSource, wire.Result, error)
	// resolve asks the server for a name. When ctx ends, it gives the question up and returns.
	resolve(ctx context.Context, name string, family uint8) (wire.Addresses, error)
	status() Status
	// progress is a figure that changes when bytes have arrived at either end.
	progress() uint64
	close()
}

// A stream is a connection to a target.
type stream interface {
	// Read has one caller at a time. It fails with mux.ErrDeadline after the deadline.
	Read(b []byte) (int, error)
	SetReadDeadline(t time.Time)
	// Write blocks until the session has taken all bytes. It has one caller at a time.
	Write(b []byte) (int, error)
	// CloseWrite ends the direction behind what Write has taken.
	CloseWrite() error
	// CancelRead ends the other one.
	CancelRead(code wire.Code) error
	// Close ends both, and Reset does at once.
	Close() error
	Reset(code wire.Code, text string) error
	SetSocketOptions(options wire.SocketOptions)
}

var errNoURL = errors.New("sockmux: the Dialer has no URL")

// endpoint returns the URL of the server's WebSocket.
func (d *Dialer) endpoint() (*url.URL, error) {
	if d.URL == "" {
		return nil, errNoURL
	}
	server, err := serverurl.Parse(d.URL)
	if err != nil {
		return nil, fmt.Errorf("sockmux: the URL of the Dialer: %w", err)
	}
	return server.JoinPath(wire.ConnectPath), nil
}

// clientSession is a session of this program's own.
type clientSession struct{ client *client.Client }

func (s clientSession) open(ctx context.Context, request wire.Request) (stream, wire.Result, error) {
	m, err := s.client.OpenContext(ctx, request)
	if err != nil {
		return nil, wire.Result{}, err
	}
	result, err := m.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		_ = m.Reset(wire.Aborted, "") // so that the server gives up its dial; never fails
		return nil, wire.Result{}, err
	}
	return m, result, nil
}

func (s clientSession) listen(ctx context.Context, request wire.Request, backlog int) (incomingSource, wire.Result, error) {
	stream, result, err := s.open(ctx, request)
	if err != nil {
		return nil, wire.Result{}, err
	}
	if _, err := stream.Write(incoming.AppendBacklog(nil, backlog)); err != nil {
		_ = stream.Close() // it has failed
		return nil, wire.Result{}, err
	}
	return clientSource{s, stream}, result, nil
}

func (s clientSession) resolve(ctx context.Context, name string, family uint8) (wire.Addresses, error) {
	return s.client.Resolve(ctx, name, family)
}

// clientSource reads the records of a listen stream.
type clientSource struct {
	session clientSession
	stream  stream
}

func (s clientSource) next() (func(context.Context) (stream, wire.Result, error), error) {
	record, err := incoming.Read(s.stream)
	return func(ctx context.Context) (stream, wire.Result, error) {
		return s.session.open(ctx, wire.Request{Kind: wire.Accept, Port: record.Number})
	}, err
}

func (s clientSource) close() {
	_ = s.stream.CancelRead(wire.Aborted) // never fails
	_ = s.stream.Close()                  // as after close(2)
}

func (s clientSession) progress() uint64 {
	stats, _ := s.client.Stats()
	return stats.Progress()
}

func (s clientSession) status() Status {
	state := s.client.State()
	status := Status{State: states[state.Phase], Since: state.Since, Attempt: state.Attempt}
	if state.Reason != nil {
		status.Err = state.Reason
	}
	return status
}

func (s clientSession) close() { s.client.Close() }

// agent is what the server's log calls the program.
const agent = "sockmux for Go"

// config returns the configuration of a client that opens WebSockets with dial.
func (d *Dialer) config(dial func(context.Context) (link.Carrier, error)) client.Config {
	return client.Config{
		Dial: dial, Token: d.token, Agent: agent, Bare: true,
		OnNotice: func(_ wire.Level, _ wire.Code, text string) {
			if d.OnNotice != nil {
				d.OnNotice(text)
			}
		},
	}
}
