package sockmux

import (
	"errors"
	"strconv"
	"sync"
	"syscall/js"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/carrier"
	"github.com/sockmux/sockmux/wasm/memory"
)

var errNoWebSocket = errors.New("sockmux: this runtime has no WebSocket")

// stateOpen is a readyState (https://websockets.spec.whatwg.org).
const stateOpen = 1

// browser makes the WebSockets of a session with the browser's constructor. It implements
// carrier.Browser.
type browser struct {
	url         string
	constructor js.Value
	pool        *memory.Pool
	set         *carrier.Set

	mu      sync.Mutex
	sockets map[uint32]*socket
}

// socket is a WebSocket with the functions that hear of its events.
type socket struct {
	js.Value
	functions []js.Func
}

var uint8Array = js.Global().Get("Uint8Array")

// copyOf returns a copy in JavaScript's memory.
func copyOf(b []byte) js.Value {
	copied := uint8Array.New(len(b))
	js.CopyBytesToJS(copied, b)
	return copied
}

// on calls handle for an event. No handler blocks, as events come in the page's own thread.
func (s *socket) on(event string, handle func(event js.Value)) {
	f := js.FuncOf(func(_ js.Value, args []js.Value) any {
		handle(args[0])
		return nil
	})
	s.functions = append(s.functions, f)
	s.Set("on"+event, f)
}

// Dial implements carrier.Browser.
func (b *browser) Dial(id uint32) {
	value, err := b.construct()
	if err != nil {
		go b.set.Closed(id, err.Error()) // not before Dial has returned
		return
	}
	s := &socket{Value: value}
	s.Set("binaryType", "arraybuffer")
	b.mu.Lock()
	if b.sockets == nil {
		b.sockets = make(map[uint32]*socket)
	}
	b.sockets[id] = s
	b.mu.Unlock()
	opened := false
	s.on("open", func(js.Value) {
		opened = true
		b.set.Opened(id)
	})
	s.on("message", func(event js.Value) { b.message(id, s, event.Get("data")) })
	s.on("close", func(event js.Value) {
		b.take(id)
		b.set.Closed(id, why(opened, event))
	})
}

// construct returns the exception of the constructor as an error.
func (b *browser) construct() (value js.Value, err error) {
	defer func() {
		if thrown, ok := recover().(js.Error); ok {
			err = thrown
		}
	}()
	return b.constructor.New(b.url, wire.Subprotocol), nil
}

// why says in words how a WebSocket has ended. The browser does not tell a script why a
// WebSocket was not opened.
func why(opened bool, event js.Value) string {
	if !opened {
		return "no WebSocket: the server is not there, it refuses the page's origin, or a policy of the page forbids it"
	}
	text := "the connection ended with code " + strconv.Itoa(event.Get("code").Int())
	if reason := event.Get("reason").String(); reason != "" {
		text += ": " + reason
	}
	return text
}

func (b *browser) message(id uint32, s *socket, data js.Value) {
	if data.Type() != js.TypeObject {
		s.Call("close", wire.CloseText, "text message")
		return
	}
	view := uint8Array.New(data)
	length := view.Length()
	if length > wire.MaxMessage {
		b.set.Violated(id, wire.Limit, "a message of "+strconv.Itoa(length)+" bytes: at most "+strconv.Itoa(wire.MaxMessage)+" are allowed")
		return
	}
	message := b.pool.Get(length)
	js.CopyBytesToGo(message, view)
	b.set.Message(id, message)
}

func (b *browser) find(id uint32) *socket {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sockets[id]
}

// take takes a WebSocket out, which has no handlers any more; nil if there is none.
func (b *browser) take(id uint32) *socket {
	b.mu.Lock()
	s := b.sockets[id]
	delete(b.sockets, id)
	b.mu.Unlock()
	if s != nil {
		for _, event := range []string{"open", "message", "close"} {
			s.Set("on"+event, js.Null())
		}
		for _, f := range s.functions {
			f.Release()
		}
	}
	return s
}

// Send implements carrier.Browser.
func (b *browser) Send(id uint32, message []byte) (buffered int) {
	s := b.find(id)
	if s == nil || s.Get("readyState").Int() != stateOpen {
		return 0 // carrier.Set learns of the end by the event
	}
	s.Call("send", copyOf(message))
	return s.Get("bufferedAmount").Int()
}

// Buffered implements carrier.Browser.
func (b *browser) Buffered(id uint32) int {
	if s := b.find(id); s != nil {
		return s.Get("bufferedAmount").Int()
	}
	return 0
}

// Close implements carrier.Browser. Other codes than those are the browser's own. What the
// WebSocket has to say afterwards is of no interest.
func (b *browser) Close(id uint32, code int, reason string) {
	s := b.take(id)
	if s == nil {
		return
	}
	if code == wire.CloseNormal || code >= wire.CloseOwnFirst && code <= wire.CloseOwnLast {
		s.Call("close", code, wire.Cut(reason, wire.MaxReason))
		return
	}
	s.Call("close")
}

// CopyBody and DropBody implement carrier.Browser. There are no bodies, because the client does
// not ask for bare messages.
func (b *browser) CopyBody(uint32, []byte, int) {}

// DropBody is as CopyBody.
func (b *browser) DropBody(uint32) {}
