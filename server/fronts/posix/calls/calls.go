// Package calls encodes and decodes the messages of Emscripten's full POSIX sockets
// (-sPROXY_POSIX_SOCKETS). A message is one call or the result of one call:
//
//	call, err := calls.Decode(message, false)
//	if err != nil {
//		return calls.Failure(call.ID, call.Function, numbers.EINVAL)
//	}
//	return calls.Result(call.ID, 0, 0, nil)
//
// The integers are little-endian. Emscripten's own names are in
// system/lib/websocket/websocket_to_posix_socket.cpp.
package calls

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Function is the number of a call.
type Function int32

// The calls.
const (
	Socket Function = 1 + iota
	Socketpair
	Shutdown
	Bind
	Connect
	Listen
	Accept
	Getsockname
	Getpeername
	Send
	Recv
	Sendto
	Recvfrom
	Sendmsg
	Recvmsg
	Getsockopt
	Setsockopt
	Getaddrinfo
	Getnameinfo
)

// Sizes of fields, in bytes.
const (
	HeaderSize  = 8    // call id and function
	AddressSize = 256  // the address of Sendto
	NodeSize    = 2048 // the name of Getaddrinfo
	ServiceSize = 128
)

// MaxHead is the longest part of a call in front of data that a program sends.
const MaxHead = 24 + AddressSize

// maxAddress is the most that is taken or given of an address: sockaddr_storage.
const maxAddress = 128

// Call is a decoded call. A field that its function has not is zero.
type Call struct {
	ID       int32
	Function Function
	FD       int32

	Domain, Type, Protocol int32 // Socket, Socketpair
	How                    int32 // Shutdown
	Backlog                int32 // Listen
	Flags                  int32 // Send to Recvfrom
	Level, Option          int32 // Getsockopt, Setsockopt

	// Length is how many bytes of data Recv and Recvfrom want, of a value Getsockopt.
	Length uint32
	// AddressLen is how many bytes of an address the program takes, at most maxAddress.
	AddressLen int
	Address    []byte // Bind, Connect, Sendto; nil: none
	Data       []byte // Send, Sendto: what to send; Setsockopt: the value
	Lookup     Lookup
}

// Lookup is what Getaddrinfo asks for. An empty text stands for NULL.
type Lookup struct {
	Node, Service string
	Hints         bool
	Flags         int32
	Family        int32
	Type          int32
	Protocol      int32
}

// Decode reads a call. The slices of the call are those of the message. cut says that the
// message was longer, and only its beginning was kept: then Data is what is there. If the
// message is too short for its function, Decode returns the fields that are there and an
// error. A function that is not known has no fields.
func Decode(message []byte, cut bool) (Call, error) {
	r := reader{rest: message, ok: true}
	c := Call{ID: r.i32(), Function: Function(r.i32())}
	switch c.Function {
	case Socket, Socketpair:
		c.Domain, c.Type, c.Protocol = r.i32(), r.i32(), r.i32()
	case Shutdown:
		c.FD, c.How = r.i32(), r.i32()
	case Bind, Connect:
		c.FD = r.i32()
		c.Address = r.address(r.u32())
	case Listen:
		c.FD, c.Backlog = r.i32(), r.i32()
	case Accept, Getsockname, Getpeername:
		c.FD, c.AddressLen = r.i32(), wanted(r.u32())
	case Send:
		c.FD = r.i32()
		n := r.u32()
		c.Flags = r.i32()
		c.Data = r.data(n, cut)
	case Recv:
		c.FD, c.Length, c.Flags = r.i32(), r.u32(), r.i32()
	case Sendto:
		c.FD = r.i32()
		n := r.u32()
		c.Flags = r.i32()
		address, field := r.u32(), r.bytes(AddressSize)
		c.Address = field[:min(uint64(address), uint64(len(field)), maxAddress)]
		c.Data = r.data(n, cut)
	case Recvfrom:
		c.FD, c.Length, c.Flags, c.AddressLen = r.i32(), r.u32(), r.i32(), wanted(r.u32())
	case Getsockopt:
		c.FD, c.Level, c.Option, c.Length = r.i32(), r.i32(), r.i32(), r.u32()
	case Setsockopt:
		c.FD, c.Level, c.Option = r.i32(), r.i32(), r.i32()
		c.Data = r.data(r.u32(), false)
	case Getaddrinfo:
		l := &c.Lookup
		l.Node, l.Service = r.text(NodeSize), r.text(ServiceSize)
		l.Hints = r.i32() != 0
		l.Flags, l.Family, l.Type, l.Protocol = r.i32(), r.i32(), r.i32(), r.i32()
	default: // Sendmsg, Recvmsg and Getnameinfo have no layout
	}
	if !r.ok {
		return c, fmt.Errorf("a message of %d bytes is too short for function %d", len(message), c.Function)
	}
	if len(c.Address) == 0 {
		c.Address = nil
	}
	return c, nil
}

// FunctionOf returns the function of a message of HeaderSize bytes or more.
func FunctionOf(message []byte) Function {
	return Function(binary.LittleEndian.Uint32(message[HeaderSize-4:]))
}

// Own returns the call with memory of its own, for a message that is about to change. buffer is for
// Data, if it is long enough.
func (c Call) Own(buffer []byte) Call {
	c.Address = bytes.Clone(c.Address)
	c.Data = append(buffer[:0], c.Data...)
	return c
}

// wanted is how many bytes of an address a program takes. Programs with NULL for the
// length send an arbitrary number.
func wanted(n uint32) int { return int(min(n, maxAddress)) }

// reader takes fields from the front. ok is false once one was missing.
type reader struct {
	rest []byte
	ok   bool
}

func (r *reader) bytes(n int) []byte {
	if len(r.rest) < n {
		r.rest, r.ok = nil, false
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) u32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) i32() int32 { return int32(r.u32()) }

// data takes as many bytes as the field before claims. Where the message was cut, it takes
// those that are there.
func (r *reader) data(n uint32, cut bool) []byte {
	if cut && uint64(n) > uint64(len(r.rest)) {
		n = uint32(len(r.rest))
	}
	if uint64(n) > uint64(len(r.rest)) {
		r.rest, r.ok = nil, false
		return nil
	}
	return r.bytes(int(n))
}

// address takes an address of which n bytes are claimed. What is longer than an address can
// be is cut.
func (r *reader) address(n uint32) []byte {
	b := r.data(n, false)
	return b[:min(len(b), maxAddress)]
}

// text takes a field of n bytes that holds a text and zeros.
func (r *reader) text(n int) string {
	b := r.bytes(n)
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	return string(b)
}
