// Command ssh-terminal is the SSH client of the page beside it. Its connections are sockets of
// the page's sockmux.js, so that there is one WebSocket. Passwords and keys do not leave the
// page but to the host, and encrypted.
//
//	make examples        # builds ssh-terminal/main.wasm
package main

import (
	"syscall/js"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/examples/internal/page"
)

func main() {
	dialer := &sockmux.Dialer{} // without a URL: the page's own session
	page.Export("sshConnect", func(args []js.Value) (any, error) { return connect(dialer, args[0]) })
	js.Global().Call("sshReady")
	select {}
}
