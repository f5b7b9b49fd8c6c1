// Command wasm is the client in the page. JavaScript calls its exports and is called by
// its imports; this package is only that boundary (js/src/engine/boundary.js is the other
// half).
//
// Two rules keep it safe. An export never waits: it queues, and goroutines do the work
// when JavaScript resumes the program. An import never calls back: it copies, notes and
// returns.
package main

//lint:file-ignore U1000 JavaScript calls the exports; staticcheck does not know go:wasmexport

import (
	"context"
	"strings"
	"time"
	"unsafe"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/carrier"
	"github.com/sockmux/sockmux/wasm/memory"
	"github.com/sockmux/sockmux/wasm/pump"
)

// program is all state; there is one thread and one page.
var program struct {
	pool     memory.Pool
	carriers *carrier.Set
	client   *client.Client
	pump     *pump.Pump
	incoming []byte // what the next export refers to
	token    string
	words    [pump.Words]uint32 // what nextEvent and stats return
	done     chan struct{}
}

func main() {
	p := &program
	p.done = make(chan struct{})
	p.carriers = carrier.NewSet(browser{}, &p.pool)
	<-p.done
}

// configure starts the client: the buffer holds the URL, which is JavaScript's business
// alone, and the agent, with a NUL between them.
//
//go:wasmexport configure
func configure(length uint32) {
	p := &program
	_, agent, _ := strings.Cut(string(incoming(length)), "\x00")
	p.client = client.New(client.Config{
		Dial: func(ctx context.Context) (link.Carrier, error) {
			c, err := p.carriers.Dial(ctx)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Token:    func() string { return p.token },
		Agent:    agent,
		Bare:     true,
		OnState:  func(s client.State) { p.pump.TellState(s) },
		OnNotice: func(level wire.Level, code wire.Code, text string) { p.pump.TellNotice(level, code, text) },
	})
	p.pump = pump.New(p.client, &p.pool, event)
}

//go:wasmexport setToken
func setToken(length uint32) { program.token = string(incoming(length)) }

// buffer returns room for the bytes that the next export refers to.
//
//go:wasmexport buffer
func buffer(length uint32) uint32 {
	p := &program
	if p.incoming != nil {
		p.pool.Put(p.incoming)
	}
	p.incoming = p.pool.Get(int(max(length, 1)))
	return pointer(p.incoming)
}

// incoming takes the bytes out of the buffer; the caller owns them.
func incoming(length uint32) []byte {
	p := &program
	b := p.incoming[:length]
	p.incoming = nil
	return b
}

func pointer(b []byte) uint32 { return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// streamOpen opens a stream: the buffer holds the host and, behind it, socket options. optimistic
// is 1 or 0.
//
//go:wasmexport streamOpen
func streamOpen(id, kind, port, family, timeoutMS, optimistic, window, hostLength, length uint32) {
	b := incoming(length)
	program.pump.Open(id, pump.Request{
		Request: wire.Request{
			Kind: wire.Kind(kind), Host: wire.ParseHost(string(b[:hostLength])), Port: uint16(port), Family: uint8(family),
			Timeout: time.Duration(timeoutMS) * time.Millisecond, Socket: socketOptions(b[hostLength:]),
		},
		Optimistic: optimistic != 0, Window: window,
	})
}

// socketOptions reads options as they are on the wire, which JavaScript has written.
func socketOptions(b []byte) wire.SocketOptions {
	options, _ := wire.DecodeSocketOptions(b) // what is malformed sets nothing
	return options
}

//go:wasmexport streamSocketOptions
func streamSocketOptions(id, length uint32) {
	program.pump.SetSocketOptions(id, socketOptions(incoming(length)))
}

//go:wasmexport streamWrite
func streamWrite(id, length uint32) { program.pump.Write(id, incoming(length)) }

//go:wasmexport streamCloseWrite
func streamCloseWrite(id uint32) { program.pump.CloseWrite(id) }

//go:wasmexport streamStop
func streamStop(id uint32) { program.pump.Stop(id) }

//go:wasmexport streamReset
func streamReset(id, code uint32) { program.pump.Reset(id, wire.Code(code)) }

//go:wasmexport streamGrant
func streamGrant(id, bytes uint32) { program.pump.Grant(id, bytes) }

//go:wasmexport carrierOpened
func carrierOpened(id uint32) { program.carriers.Opened(id) }

//go:wasmexport carrierMessage
func carrierMessage(id, length uint32) { program.carriers.Message(id, incoming(length)) }

//go:wasmexport carrierBody
func carrierBody(id, handle, length uint32) { program.carriers.Body(id, handle, int(length)) }

//go:wasmexport carrierViolated
func carrierViolated(id, code, length uint32) {
	program.carriers.Violated(id, wire.Code(code), string(incoming(length)))
}

//go:wasmexport carrierClosed
func carrierClosed(id, length uint32) { program.carriers.Closed(id, string(incoming(length))) }

// nextEvent returns the address of the words of an event (pump.WordKind and so on), 0 where there
// is none. If the data is a body, A is its handle and WordAt is 0: the body is JavaScript's from
// now on.
//
//go:wasmexport nextEvent
func nextEvent() uint32 {
	p := &program
	if p.pump == nil {
		return 0 // not configured yet
	}
	e, ok := p.pump.Next()
	if !ok {
		return 0
	}
	if e.Body != nil {
		e.A = e.Body.(carrier.Body).Handle()
	}
	p.words = [...]uint32{
		pump.WordKind: uint32(e.Kind), pump.WordID: e.ID, pump.WordA: e.A, pump.WordB: e.B,
		pump.WordAt: pointer(e.Data), pump.WordLength: uint32(len(e.Data)), pump.WordStirred: 0,
	}
	if p.pump.Stirred() {
		p.words[pump.WordStirred] = 1
	}
	return uint32(uintptr(unsafe.Pointer(&p.words)))
}

// stats returns the address of the session's figures (pump.WordRTT and so on); 0 without a session.
//
//go:wasmexport stats
func stats() uint32 {
	p := &program
	if p.client == nil {
		return 0 // not configured yet
	}
	s, ok := p.client.Stats()
	if !ok {
		return 0
	}
	p.words[pump.WordRTT], p.words[pump.WordUnacknowledged] = uint32(s.RTT.Microseconds()), uint32(s.Unacknowledged)
	return uint32(uintptr(unsafe.Pointer(&p.words)))
}

//go:wasmexport kick
func kick() { program.client.RetryNow() }

//go:wasmexport shutdown
func shutdown() {
	p := &program
	go func() { // ends with the program
		p.pump.Abandon()
		p.client.Close()
		p.pump.Close()
		close(p.done)
	}()
}
