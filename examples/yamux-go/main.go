// Command yamux-go asks a web server for its front page through a server with
// --allow-yamux, by hashicorp/yamux and a WebSocket alone. It runs natively and, with
// GOOS=js, in a browser.
//
//	go run ./examples/yamux-go http://127.0.0.1:8088/ example.org 80
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/url"
	"os"
	"strconv"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: yamux-go SERVER HOST PORT")
	}
	port, err := strconv.ParseUint(os.Args[3], 10, 16)
	if err == nil {
		err = get(context.Background(), os.Args[1], os.Args[2], uint16(port))
	}
	if err != nil {
		log.Fatal(err)
	}
}

// get prints the answer of a web server.
func get(ctx context.Context, server, host string, port uint16) error {
	endpoint, err := url.JoinPath(server, "v1/yamux")
	if err != nil {
		return err
	}
	ws, _, err := websocket.Dial(ctx, endpoint, &websocket.DialOptions{Subprotocols: []string{"yamux"}})
	if err != nil {
		return err
	}
	session, err := yamux.Client(websocket.NetConn(ctx, ws, websocket.MessageBinary), nil)
	if err != nil {
		return err
	}
	defer session.Close()
	conn, err := dial(session, host, port)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", host); err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, conn)
	if err == nil && session.IsClosed() { // yamux makes EOF of that
		err = errors.New("the connection was lost")
	}
	return err
}

// dial opens a TCP connection to a target (docs/PROTOCOL.md, section 5).
func dial(session *yamux.Session, host string, port uint16) (net.Conn, error) {
	conn, err := session.Open()
	if err != nil {
		return nil, err
	}
	request := binary.BigEndian.AppendUint16(nil, uint16(5+len(host)))
	request = append(append(request, 1, 1, byte(len(host))), host...)
	if _, err := conn.Write(binary.BigEndian.AppendUint16(request, port)); err != nil {
		return nil, err
	}
	var result struct{ Length, Code uint16 }
	if err := binary.Read(conn, binary.BigEndian, &result); err != nil {
		return nil, err
	}
	rest := make([]byte, result.Length-2) // addresses, and a text for people
	if _, err := io.ReadFull(conn, rest); err != nil {
		return nil, err
	}
	if result.Code != 0 {
		conn.Close()
		return nil, fmt.Errorf("refused with code %d", result.Code) // section 7
	}
	return conn, nil
}
