package client

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Open sends a request on a new stream, in the newest session or a new one. It waits only while
// 256 streams were not taken by the server. The caller must close or reset the stream.
//
// Socket options are not sent to a server that does not know them. A kind that the server is known
// not to serve is an error with the code unsupported_kind.
func (c *Client) Open(request wire.Request) (*mux.Stream, error) {
	return c.OpenContext(context.Background(), request)
}

// OpenContext is Open that waits until ctx ends, whose error it returns then.
func (c *Client) OpenContext(ctx context.Context, request wire.Request) (*mux.Stream, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	return s.open(ctx, request)
}

func (s *session) open(ctx context.Context, request wire.Request) (*mux.Stream, error) {
	var later wire.SocketOptions
	switch w := s.welcomed(); {
	case w == nil:
		// A request with an option that an older server does not know would be refused. That
		// server passes over a control message that it does not know.
		later, request.Socket = request.Socket, wire.SocketOptions{}
	case wire.Needs(request.Kind)&^w.Capabilities != 0:
		return nil, wire.NewError(wire.UnsupportedKind, "the server serves no streams of kind "+request.Kind.String())
	case w.Capabilities&wire.CanSocketOptions == 0:
		request.Socket = wire.SocketOptions{}
	}
	stream, err := s.mux.OpenContext(ctx, request)
	if err != nil {
		return nil, err
	}
	stream.SetSocketOptions(later)
	return stream, nil
}

// Resolve asks the server for the addresses of a name, of one family if that is 4 or 6. It returns
// those that the server's policy lets clients reach at some port. The error is a *wire.Error, such
// as name_not_found or denied, or the cause of ctx.
func (c *Client) Resolve(ctx context.Context, name string, family uint8) (wire.Addresses, error) {
	stream, err := c.OpenContext(ctx, wire.Request{Kind: wire.Resolve, Host: wire.ParseHost(name), Family: family})
	switch {
	case err != nil && ctx.Err() != nil:
		return wire.Addresses{}, context.Cause(ctx)
	case err != nil:
		return wire.Addresses{}, err
	}
	defer stream.Close()                                                          // it has ended, or nothing more is wanted
	stop := context.AfterFunc(ctx, func() { _ = stream.Reset(wire.Aborted, "") }) // never fails
	defer stop()
	answer, err := answerOf(ctx, stream)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, err
}

func answerOf(ctx context.Context, stream *mux.Stream) (wire.Addresses, error) {
	result, err := stream.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		return wire.Addresses{}, err
	}
	return ReadAddresses(stream)
}

// ReadAddresses reads what a resolve stream carries behind a result that is ok. The error is a
// *wire.Error or that of the stream.
func ReadAddresses(stream io.Reader) (wire.Addresses, error) {
	var length [2]byte
	if err := readFull(stream, length[:]); err != nil {
		return wire.Addresses{}, err
	}
	size := int(binary.BigEndian.Uint16(length[:]))
	if size > wire.MaxAddressesSize {
		return wire.Addresses{}, wire.NewError(wire.Protocol, "the answer is too long")
	}
	body := make([]byte, size)
	if err := readFull(stream, body); err != nil {
		return wire.Addresses{}, err
	}
	return wire.DecodeAddresses(body)
}

func readFull(stream io.Reader, b []byte) error {
	_, err := io.ReadFull(stream, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return wire.NewError(wire.Protocol, "the answer is cut short")
	}
	return err
}
