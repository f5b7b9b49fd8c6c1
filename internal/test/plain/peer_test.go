package plain_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/internal/test/product"
)

// Types and flags of yamux frames (its spec.md, "Framing").
const (
	data, update, ping, goAway = 0, 1, 2, 3
	syn, ack, fin, rst         = 1, 2, 4, 8
)

// frame is a yamux frame with a header of any content.
func frame(kind byte, flags uint16, stream, length uint32, body ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0, kind}, flags)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint32(b, length)
	return append(b, body...)
}

// head is the header of a frame that has come, with what it carries.
type head struct {
	kind           byte
	flags          uint16
	stream, length uint32
	body           []byte
}

// peer speaks yamux frame by frame.
type peer struct {
	t    testing.TB
	ws   *websocket.Conn
	conn net.Conn
}

func newPeer(t testing.TB, s *product.Server) *peer {
	t.Helper()
	ws, _, err := dialSocket(t, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &peer{t, ws, websocket.NetConn(t.Context(), ws, websocket.MessageBinary)}
}

// send sends bytes, in messages that end anywhere.
func (p *peer) send(b []byte) {
	p.t.Helper()
	if err := p.try(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) try(b []byte) error {
	for cut := 7; len(b) > 0; cut = len(b) {
		n := min(cut, len(b))
		if err := p.ws.Write(context.Background(), websocket.MessageBinary, b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// request is what opens a stream to a target.
func (p *peer) request(id uint32, target netip.AddrPort) []byte {
	message, err := product.Request(target).Append(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return append(frame(update, syn, id, 0), frame(data, 0, id, uint32(len(message)), message...)...)
}

// next returns the next frame.
func (p *peer) next() (h head, err error) {
	var b [12]byte
	if _, err := io.ReadFull(p.conn, b[:]); err != nil {
		return h, err
	}
	h = head{b[1], binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:]), nil}
	if h.kind == data {
		h.body = make([]byte, h.length)
		_, err = io.ReadFull(p.conn, h.body)
	}
	return h, err
}

// seen sends bytes and reads until a frame of that type with those flags comes.
func (p *peer) seen(kind byte, flags uint16, b []byte) head {
	p.t.Helper()
	p.send(b)
	for {
		h, err := p.next()
		if err != nil {
			p.t.Fatalf("waiting for a frame of type %d: %v", kind, err)
		}
		if h.kind == kind && h.flags&flags == flags {
			return h
		}
	}
}
