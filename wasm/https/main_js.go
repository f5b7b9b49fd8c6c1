// Command https is HTTP and TLS in the page. JavaScript gives it messages and gets messages
// (package message); it opens no connection but the page's streams.
//
// An export never waits: goroutines do the work when JavaScript resumes the program. An import
// never calls back.
package main

//lint:file-ignore U1000 JavaScript calls the exports; staticcheck does not know go:wasmexport

import (
	"unsafe"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/client"
	"github.com/sockmux/sockmux/wasm/https/message"
	"github.com/sockmux/sockmux/wasm/https/streams"
	"github.com/sockmux/sockmux/wasm/memory"
)

var program struct {
	pool     memory.Pool
	streams  *streams.Set
	client   *client.Client
	incoming []byte // what the next message holds
}

func main() {
	p := &program
	p.streams = streams.NewSet(page{}, &p.pool)
	p.client = client.New(page{}, &p.pool, p.streams)
	select {}
}

// buffer returns room for the bytes of the next message.
//
//go:wasmexport buffer
func buffer(length uint32) uint32 {
	p := &program
	if p.incoming != nil {
		p.pool.Put(p.incoming)
	}
	p.incoming = p.pool.Get(int(max(length, 1)))
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(p.incoming))))
}

// deliver gives the program a message, whose bytes are in the buffer.
//
//go:wasmexport deliver
func deliver(kind, id, number, length uint32) {
	p := &program
	var b []byte
	if length > 0 {
		b = p.incoming[:length]
		p.incoming = nil
	}
	switch kind {
	case message.StreamData:
		p.streams.Data(id, b)
		return
	case message.Give:
		p.client.Give(id, b)
		return
	}
	defer p.pool.Put(b)
	switch kind {
	case message.StreamOpened:
		p.streams.Opened(id)
	case message.StreamEOF:
		p.streams.EOF(id)
	case message.StreamWritten:
		p.streams.Written(id, int(number))
	case message.StreamClosed:
		p.streams.Closed(id, wire.Code(number), string(b))
	case message.Agent:
		p.client.Agent(id, b)
	case message.Forget:
		p.client.Forget(id)
	case message.Request:
		p.client.Request(id, number, b)
	case message.Secure:
		p.client.Secure(id, number, b)
	case message.Finish:
		p.client.Finish(id, number == 1)
	case message.Abort:
		p.client.Abort(id)
	case message.Grant:
		p.client.Grant(id, int(number))
	}
}
