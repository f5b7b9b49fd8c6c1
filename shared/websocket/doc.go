// Package websocket makes a link.Carrier of a WebSocket (RFC 6455) of coder/websocket: at a
// server by Accept, at a native client by Dial.
//
//	conn, err := websocket.Dial(ctx, "wss://tunnel.example.org/v1/connect", nil, nil)
//	err = l.Run(ctx, conn, 0) // l is a *link.Link
//
// It is empty where GOOS is js: a page has the browser's WebSocket (package wasm/carrier).
package websocket
