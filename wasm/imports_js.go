package main

import (
	"unsafe"

	"github.com/sockmux/sockmux/shared/wire"
)

//go:wasmimport sockmux carrierDial
func carrierDial(id, maxMessage uint32)

//go:wasmimport sockmux carrierSend
func carrierSend(id uint32, at unsafe.Pointer, length uint32) int32

//go:wasmimport sockmux carrierBuffered
func carrierBuffered(id uint32) int32

//go:wasmimport sockmux carrierClose
func carrierClose(id, code uint32, at unsafe.Pointer, length uint32)

//go:wasmimport sockmux bodyCopy
func bodyCopy(handle, at uint32, to unsafe.Pointer, length uint32)

//go:wasmimport sockmux bodyDrop
func bodyDrop(handle uint32)

// event tells that there are events.
//
//go:wasmimport sockmux event
func event()

// browser is the page's WebSockets.
type browser struct{}

func (browser) Dial(id uint32) { carrierDial(id, wire.MaxMessage) }

func (browser) Send(id uint32, message []byte) int {
	return int(carrierSend(id, unsafe.Pointer(unsafe.SliceData(message)), uint32(len(message))))
}

func (browser) Buffered(id uint32) int { return int(carrierBuffered(id)) }

func (browser) Close(id uint32, code int, reason string) {
	carrierClose(id, uint32(code), unsafe.Pointer(unsafe.StringData(reason)), uint32(len(reason)))
}

func (browser) CopyBody(handle uint32, to []byte, at int) {
	bodyCopy(handle, uint32(at), unsafe.Pointer(unsafe.SliceData(to)), uint32(len(to)))
}

func (browser) DropBody(handle uint32) { bodyDrop(handle) }
