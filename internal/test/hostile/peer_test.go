package hostile_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// Opcodes of WebSocket frames (RFC 6455, section 5.2).
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	final    = 0x80
)

// Close codes that are none of the product's own (RFC 6455, section 7.4).
const (
	lost     = 0    // a connection that ended without one
	tooLong  = 1009 // a message is longer than it may be
	tryAgain = 1013 // the HELLO is late
)

// peer is one WebSocket by hand.
type peer struct {
	conn net.Conn
	read *bufio.Reader

	mu       sync.Mutex // of the writes, and of sent
	sent     uint64     // bytes of the link
	silent   bool       // answers nothing
	leaving  bool       // has sent a close frame
	received uint64
	control  []byte // bytes of yamux that were received, where keep
	keep     bool
	ending   *endings  // told of them; nil: not needed
	messages int       // from the server
	last     wire.Code // of the CLOSE message
	err      error     // why an upgrade failed
}

const upgrade = "GET /v1/connect HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sockmux.v1\r\n\r\n"

// dial connects and upgrades.
func (p *process) dial(t testing.TB) *peer {
	t.Helper()
	return p.dialWith(t, upgrade)
}

// dialWith is dial with another request.
func (p *process) dialWith(t testing.TB, request string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience)) // never fails on an open socket
	e := &peer{conn: conn, read: bufio.NewReader(conn)}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(e.read, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal("upgrade:", response, err)
	}
	return e
}

// greet is dial with a HELLO that was welcomed.
func (p *process) greet(t testing.TB) *peer {
	t.Helper()
	e := p.dial(t)
	e.message(wire.Hello{Version: wire.Version, Agent: "hostile"}.Append(nil))
	message, _, err := e.next()
	if err != nil {
		t.Fatal(err)
	}
	if m, err := wire.Decode(message); err != nil {
		t.Fatal(err)
	} else if _, ok := m.(wire.Welcome); !ok {
		t.Fatal("answer to HELLO:", m)
	}
	return e
}

// raw writes bytes. Errors are no matter: the server may have cut the connection.
func (e *peer) raw(b []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err := e.conn.Write(b)
	return err
}

// wsFrame is a frame with the first byte and the payload; its mask is zero.
func wsFrame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// message sends one link message.
func (e *peer) message(m []byte) error { return e.raw(wsFrame(final|opBinary, m)) }

// bytes sends bytes of the link, as many messages as it takes.
func (e *peer) bytes(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), 512<<10)
		e.mu.Lock()
		m := wire.Data{Offset: e.sent, Payload: b[:n]}.Append(nil)
		e.sent += uint64(n)
		_, err := e.conn.Write(wsFrame(final|opBinary, m))
		e.mu.Unlock()
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// leave sends a close frame, which may be cut, and nothing behind it.
func (e *peer) leave() {
	e.leaving = true
	_ = e.raw(wsFrame(final|opClose, binary.BigEndian.AppendUint16(nil, 1000)))
}

// next returns the next binary message, or the close code.
func (e *peer) next() (message []byte, code int, err error) {
	for {
		var head [2]byte
		if _, err := io.ReadFull(e.read, head[:]); err != nil {
			return nil, lost, err
		}
		size := uint64(head[1] & 0x7f)
		if head[1]&0x80 != 0 || head[0]&0x70 != 0 || head[0]&final == 0 && head[0]&0xf >= 8 {
			return nil, lost, fmt.Errorf("the server sent the frame %x", head)
		}
		extra := make([]byte, map[uint64]int{126: 2, 127: 8}[size])
		if _, err := io.ReadFull(e.read, extra); err != nil {
			return nil, lost, err
		}
		if len(extra) > 0 {
			size = 0
			for _, b := range extra {
				size = size<<8 | uint64(b)
			}
		}
		if size > wire.MaxMessage {
			return nil, lost, fmt.Errorf("the server sent a frame of %d bytes", size)
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(e.read, payload); err != nil {
			return nil, lost, err
		}
		switch head[0] & 0xf {
		case opClose:
			code = 1005 // none was given
			if len(payload) >= 2 {
				code = int(binary.BigEndian.Uint16(payload))
			}
			return nil, code, io.EOF
		case opPing:
			if !e.leaving { // the server closes without reading what comes behind a close frame
				_ = e.raw(wsFrame(final|0xa, payload))
			}
		case opBinary, 0:
			return payload, 0, nil
		}
	}
}

// follow reads until the connection ends, and returns the close code.
func (e *peer) follow() (code int) {
	for {
		message, code, err := e.next()
		if err != nil {
			_ = e.conn.Close() // the end either way
			return code
		}
		e.messages++
		m, err := wire.Decode(message)
		if err != nil {
			e.err = err
			continue
		}
		switch m := m.(type) {
		case wire.Close:
			e.last = m.Code
		case wire.Ping:
			if !e.silent {
				_ = e.message(wire.Pong(m).Append(nil))
			}
		case wire.Data:
			e.received += uint64(len(m.Payload))
			if e.ending != nil {
				e.ending.follow(m.Payload)
			}
			if e.keep {
				e.control = append(e.control, m.Payload...)
			}
			if !e.silent {
				_ = e.message(wire.Ack{Received: e.received}.Append(nil))
			}
		}
	}
}

// bye ends the session in the clean way, and follows it.
func (e *peer) bye() (code int) {
	_ = e.message(wire.Close{Code: wire.OK}.Append(nil))
	return e.follow()
}

// halfClose lets the server find the end of what was sent.
func (e *peer) halfClose() { _ = e.conn.(*net.TCPConn).CloseWrite() }
