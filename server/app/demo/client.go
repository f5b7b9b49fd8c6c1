package demo

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"
)

// client is a connection whose every read and write has idleLimit. It hides what
// net.TCPConn could copy by itself, because that would know no limit.
type client struct{ conn *net.TCPConn }

func (c *client) Read(to []byte) (int, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(idleLimit))
	return c.conn.Read(to)
}

func (c *client) Write(from []byte) (int, error) {
	_ = c.conn.SetWriteDeadline(time.Now().Add(idleLimit))
	return c.conn.Write(from)
}

// line reads one line and returns it without its end. A last line needs none.
func (c *client) line() (string, error) {
	text, err := bufio.NewReader(io.LimitReader(c, maxLine)).ReadString('\n')
	if err != nil && (err != io.EOF || text == "") {
		return "", err
	}
	return strings.TrimSpace(text), nil
}
