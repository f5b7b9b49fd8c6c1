package frames

// opcode is the kind of a frame (RFC 6455, section 5.2).
type opcode byte

const (
	opContinuation opcode = 0
	opText         opcode = 1
	opBinary       opcode = 2
	opClose        opcode = 8
	opPing         opcode = 9
	opPong         opcode = 10
)

// control reports whether a frame stands between the pieces of messages.
func (o opcode) control() bool { return o >= opClose }

// Bits of the first two bytes of a frame.
const (
	bitFinal   = 0x80
	bitsSpare  = 0x70
	bitsOpcode = 0x0f
	bitMasked  = 0x80
	bitsLength = 0x7f
	length16   = 126 // the length follows in two bytes
	length64   = 127 // in eight
	maxControl = 125 // bytes of a control frame
	maskSize   = 4

	maxHeadSize = 2 + 8 + maskSize
)
