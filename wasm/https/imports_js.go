package main

import "unsafe"

// tell hands a message to the page (package message). The page copies the bytes.
//
//go:wasmimport sockmux tell
func tell(kind, id, number uint32, at unsafe.Pointer, length uint32)

// page is where messages go.
type page struct{}

func (page) Tell(kind, id, number uint32, b []byte) {
	tell(kind, id, number, unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))
}
