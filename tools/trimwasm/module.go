package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	header      = "\x00asm\x01\x00\x00\x00"
	dataSection = 11 // https://www.w3.org/TR/wasm-core-2/#binary-datasec

	// maxMemory bounds what a broken file can make us allocate; our program's data are 2 MB.
	maxMemory = 1 << 28

	// minGap is the run of zeros from which on a new segment is cheaper than the zeros.
	// The linker takes 8, which is right for a file that is sent as it is; compressed,
	// the segments' heads cost more than the zeros: 53 of 815 kB with brotli.
	minGap = 96
)

// module is a wasm file as far as we change it: everything before and after its data
// section stays as it is.
type module struct {
	before, data, after []byte
}

func parse(file []byte) (*module, error) {
	if !bytes.HasPrefix(file, []byte(header)) {
		return nil, errors.New("not a wasm file of version 1")
	}
	r := &reader{left: file[len(header):]}
	for len(r.left) > 0 {
		start := len(file) - len(r.left)
		id := r.bytes(1)
		body := r.bytes(r.unsigned())
		if r.broken {
			return nil, fmt.Errorf("section at byte %d is cut off", start)
		}
		if id[0] == dataSection {
			return &module{before: file[:start], data: body, after: r.left}, nil
		}
	}
	return nil, errors.New("no data section")
}

// memory gives what the segments make of the memory, from address 0 to the last byte that they set.
func (m *module) memory() ([]byte, error) {
	r := &reader{left: m.data}
	var memory []byte
	for i := range r.unsigned() {
		// An active segment of memory 0 at a constant address: 0x00, i32.const ADDRESS, end.
		head := r.bytes(2)
		address := r.signed()
		end := r.bytes(1)
		body := r.bytes(r.unsigned())
		if r.broken || head[0] != 0x00 || head[1] != 0x41 || end[0] != 0x0b || address < 0 || address+int64(len(body)) > maxMemory {
			return nil, fmt.Errorf("data segment %d is not one that Go's linker writes", i)
		}
		if need := int(address) + len(body); need > len(memory) {
			memory = append(memory, make([]byte, need-len(memory))...)
		}
		copy(memory[address:], body)
	}
	if r.broken {
		return nil, errors.New("data section is cut off")
	}
	return memory, nil
}

// with gives the file with this memory in place of what it had.
func (m *module) with(memory []byte) []byte {
	var segments []byte
	count := uint64(0)
	for at := 0; ; count++ {
		from, to := nextRun(memory, at)
		if from == to {
			break
		}
		segments = append(segments, 0x00, 0x41)
		segments = appendSigned(segments, int64(from))
		segments = append(segments, 0x0b)
		segments = binary.AppendUvarint(segments, uint64(to-from))
		segments = append(segments, memory[from:to]...)
		at = to
	}
	head := binary.AppendUvarint(nil, count)

	file := bytes.Clone(m.before)
	file = append(file, dataSection)
	file = binary.AppendUvarint(file, uint64(len(head)+len(segments)))
	file = append(file, head...)
	file = append(file, segments...)
	return append(file, m.after...)
}

// nextRun finds the next bytes from at on that begin and end with one that is not zero
// and hold no minGap zeros in a row; from == to: there are no more.
func nextRun(memory []byte, at int) (from, to int) {
	for at < len(memory) && memory[at] == 0 {
		at++
	}
	from, to = at, at
	for ; at < len(memory) && at-to < minGap; at++ {
		if memory[at] != 0 {
			to = at + 1
		}
	}
	return from, to
}

// reader takes numbers and bytes off a section. After one that was cut off it is broken
// and gives zeros.
type reader struct {
	left   []byte
	broken bool
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.left)) {
		r.broken, r.left = true, nil
		return make([]byte, min(n, 2))
	}
	taken := r.left[:n]
	r.left = r.left[n:]
	return taken
}

// unsigned reads LEB128, which is encoding/binary's Uvarint.
func (r *reader) unsigned() uint64 {
	v, n := binary.Uvarint(r.left)
	if n <= 0 {
		r.broken, r.left = true, nil
		return 0
	}
	r.left = r.left[n:]
	return v
}

// signed reads signed LEB128 (not binary.Varint, which is zigzag).
func (r *reader) signed() int64 {
	var v int64
	for shift := 0; shift < 64; shift += 7 {
		b := r.bytes(1)
		if r.broken {
			return 0
		}
		v |= int64(b[0]&0x7f) << shift
		if b[0]&0x80 == 0 {
			if b[0]&0x40 != 0 && shift < 57 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.broken = true
	return 0
}

// appendSigned appends a signed LEB128 of a number that is not negative.
func appendSigned(b []byte, v int64) []byte {
	for v >= 0x40 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}
