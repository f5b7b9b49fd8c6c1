//go:build !js

package websocket

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
)

// coder/websocket takes an io.EOF of the connection in the middle of a frame for the end
// of the message, and gives out what has arrived of it as a whole message (v1.8.15,
// msgReader.Read). A carrier that is cut there would break the protocol in its last word.
// An end of the connection is never the end of a message, so the connection says
// io.ErrUnexpectedEOF instead.

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// upgrading is a response whose connection, once hijacked, never says io.EOF and joins what is
// written.
type upgrading struct {
	http.ResponseWriter
	socket func(net.Conn) (*net.TCPConn, bool) // nil: none can be found
	secure bool                                // the connection encrypts

	conn net.Conn     // once hijacked
	tcp  *net.TCPConn // below it; nil: unknown
}

// Hijack implements http.Hijacker.
func (u *upgrading) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	u.conn = conn
	if u.socket != nil {
		u.tcp, _ = u.socket(conn)
	}
	joined, awaited := &joined{to: conn, class: serverHolds}, new(awaited)
	if !u.secure && u.tcp != nil {
		joined.vector = u.tcp
		awaited = awaitedOf(u.tcp)
	}
	with := hijacked{conn, joined, awaited}
	return with, bufio.NewReadWriter(buffered.Reader, bufio.NewWriterSize(with, serverPiece)), nil
}

// Unwrap is for http.ResponseController.
func (u *upgrading) Unwrap() http.ResponseWriter { return u.ResponseWriter }

type hijacked struct {
	net.Conn
	joined  *joined
	awaited *awaited
}

func (h hijacked) Write(b []byte) (int, error) { return h.joined.Write(b) }

func (h hijacked) Read(b []byte) (int, error) {
	h.awaited.reading(len(b))
	n, err := h.Conn.Read(b)
	return n, unexpected(err)
}

// dialing is a transport whose upgraded connections never say io.EOF and join what is written.
type dialing struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (d dialing) RoundTrip(r *http.Request) (*http.Response, error) {
	awaited := new(awaited)
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if tcp, ok := info.Conn.(*net.TCPConn); ok { // else it encrypts, or is another's
			awaited = awaitedOf(tcp)
		}
	}}
	response, err := d.RoundTripper.RoundTrip(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, err
	}
	if conn, upgraded := response.Body.(io.ReadWriteCloser); upgraded {
		response.Body = dialed{conn, &joined{to: conn, class: clientHolds}, awaited}
	}
	return response, nil
}

type dialed struct {
	io.ReadWriteCloser
	joined  *joined
	awaited *awaited
}

func (d dialed) Write(b []byte) (int, error) { return d.joined.Write(b) }

func (d dialed) Read(b []byte) (int, error) {
	d.awaited.reading(len(b))
	n, err := d.ReadWriteCloser.Read(b)
	return n, unexpected(err)
}

// transport is used where the caller has none. A connection whose upgrade was refused is closed:
// net/http writes to stderr what a proxy sends on one that it keeps.
var transport = func() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DisableKeepAlives = true
	return t
}()

// through returns the client with such a transport; nil stands for the default client.
func through(client *http.Client) *http.Client {
	if client == nil {
		client = http.DefaultClient
	}
	with := *client
	if with.Transport == nil {
		with.Transport = transport
	}
	with.Transport = dialing{with.Transport}
	return &with
}
