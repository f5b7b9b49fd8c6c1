// Package sockmux opens TCP connections and UDP sockets through a sockmux server. All sockets
// of a Dialer share one WebSocket, which passes firewalls that let only HTTPS out.
//
//	dialer := &sockmux.Dialer{URL: "https://sockmux.example.org/", Token: "..."}
//	defer dialer.Close()
//	conn, err := dialer.DialContext(ctx, "tcp", "db.example.org:5432")
//	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
//
// The server authenticates the program, checks its policy, resolves the name, and dials. A
// WebSocket that is lost is resumed, and the connections go on without a lost byte.
//
// The package works natively and with GOOS=js GOARCH=wasm. In a page that has loaded
// sockmux.js a Dialer without a URL uses the page's own session.
package sockmux
