package sockmux

import (
	"syscall/js"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// TestPageKeepAlive: the page's socket is given the switch with the time, which it would turn on
// otherwise.
func TestPageKeepAlive(t *testing.T) {
	socket := js.Global().Get("Object").New()
	set := js.FuncOf(func(this js.Value, args []js.Value) any {
		this.Set("got", args[0])
		return nil
	})
	defer set.Release()
	socket.Set("setOptions", set)
	s := &pageStream{socket: socket}
	s.SetSocketOptions(wire.SocketOptions{KeepAlive: wire.Off, KeepIdle: 2 * time.Second})
	got := socket.Get("got")
	if got.Get("keepAlive").Bool() || got.Get("keepAliveDelay").Int() != 2000 {
		t.Errorf("keepAlive %v, keepAliveDelay %v", got.Get("keepAlive"), got.Get("keepAliveDelay"))
	}
}
