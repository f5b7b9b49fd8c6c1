package main

import (
	"context"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// relayMessage is the size of the plain relay's messages: what one native WebSocket per
// socket is usually given.
const relayMessage = 32 << 10

// relay is the rival without a multiplexer: one WebSocket for each TCP connection, the
// port in the path.
func relay(w http.ResponseWriter, r *http.Request) {
	target, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", r.PathValue("port")))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer target.Close()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{"binary"},
		InsecureSkipVerify: true, // any origin: it listens on loopback for the time of a benchmark
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(16 << 20)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		defer cancel()
		defer target.Close()
		for {
			_, message, err := ws.Reader(ctx)
			if err != nil {
				return
			}
			if _, err := io.Copy(target, message); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, relayMessage)
	for {
		n, err := target.Read(buffer)
		if n > 0 {
			if err := ws.Write(ctx, websocket.MessageBinary, buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			ws.Close(websocket.StatusNormalClosure, "")
			return
		}
	}
}
