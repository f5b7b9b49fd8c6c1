package listener

import (
	"bytes"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
)

// unfolding is a listener whose connections from trusted proxies carry no folded header field
// (obs-fold). RFC 9112, section 5.2, has a server refuse those: net/http joins the lines
// instead, so that the name that a proxy gives in a header could become another one.
type unfolding struct {
	net.Listener
	trusted Proxies
}

// Accept implements net.Listener.
func (u unfolding) Accept() (net.Conn, error) {
	conn, err := u.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if addr, err := addrOf(conn.RemoteAddr()); err != nil || !u.trusted.Contains(addr) {
		return conn, nil
	}
	return &headConn{Conn: conn}, nil
}

// headConn is a connection whose request heads are looked through.
type headConn struct {
	net.Conn
	heads    heads
	upgraded atomic.Bool // what comes now is no HTTP
}

// Read implements net.Conn.
func (c *headConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.upgraded.Load() {
		c.heads.refuse(b[:n])
	}
	return n, err
}

// upgrade tells a connection of Listen that it carries no more HTTP.
func upgrade(conn net.Conn) {
	if c, ok := conn.(*headConn); ok {
		c.upgraded.Store(true)
	}
}

// heads follows the requests on a connection: heads, which end at an empty line, and bodies of
// a known length. One Read after the other calls it.
type heads struct {
	line   []byte // the present one's beginning
	number int    // of the line in the head; 0: the request line
	body   int64  // bytes that are left
	length int64  // of the body that follows the head
	spoilt bool   // the body has no length that is known here: net/http is to refuse the request
}

// maxKept is how much of a line is kept: enough for the fields that tell the body's length.
const maxKept = 64

// broken begins no header line that net/http takes. It answers 400 to one.
const broken = ':'

// refuse replaces the first byte of each line that net/http is to refuse.
func (h *heads) refuse(b []byte) {
	for i := 0; i < len(b); i++ {
		if h.body > 0 {
			skipped := min(h.body, int64(len(b)-i))
			h.body -= skipped
			i += int(skipped) - 1
			continue
		}
		if begins := len(h.line) == 0 && h.number > 0; begins && (b[i] == ' ' || b[i] == '\t' || h.spoilt) {
			b[i], h.spoilt = broken, false
		}
		if b[i] == '\n' {
			h.endLine()
		} else if len(h.line) < maxKept {
			h.line = append(h.line, b[i])
		}
	}
}

// endLine notes what a line tells.
func (h *heads) endLine() {
	line := bytes.TrimSuffix(h.line, []byte{'\r'})
	name, value, _ := strings.Cut(string(line), ":")
	switch {
	case len(line) == 0 && h.number > 0:
		h.body, h.length, h.number = h.length, 0, -1
	case h.number == 0: // the request
	case strings.EqualFold(name, "Content-Length"):
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if h.length = n; err != nil || n < 0 {
			h.length, h.spoilt = 0, true
		}
	case strings.EqualFold(name, "Transfer-Encoding"):
		h.spoilt = true
	}
	h.line, h.number = h.line[:0], h.number+1
}
