package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// dropTraces clears what only traces print: first the functions' references, then all
// that nothing refers to any more. An offset of 0 says "no table" to the runtime, noData
// "no data".
func (t *tables) dropTraces() error {
	deltas := make([]bool, len(t.deltas)) // bytes still needed
	names := make([]bool, len(t.names))
	data := make(map[uint32]bool) // by offset: still needed

	for i := range t.count {
		f, pcs, lists, err := t.function(i)
		if err != nil {
			return err
		}
		for _, at := range []int{fieldFile, fieldLine, fieldUnit, fieldStartLine} {
			setField(f, at, 0)
		}
		for _, kind := range tracePCData {
			if at := bytesOfOneEntry * kind; at < len(pcs) {
				setField(pcs, at, 0)
			}
		}
		if err := keepDeltas(t.deltas, deltas, field(f, fieldStack)); err != nil {
			return fmt.Errorf("function %d: %w", i, err)
		}
		for at := 0; at < len(pcs); at += bytesOfOneEntry {
			if err := keepDeltas(t.deltas, deltas, field(pcs, at)); err != nil {
				return fmt.Errorf("function %d: %w", i, err)
			}
		}
		for at := 0; at < len(lists); at += bytesOfOneEntry {
			offset := field(lists, at)
			if offset == noData {
				continue
			}
			if slices.Contains(traceData, at/bytesOfOneEntry) {
				setField(lists, at, noData)
				data[offset] = data[offset] || false
			} else {
				data[offset] = true
			}
		}
		if err := keepName(t.names, names, field(f, fieldName)); err != nil {
			return fmt.Errorf("function %d: %w", i, err)
		}
	}

	clear(t.files)
	clearUnless(t.deltas, deltas)
	clearUnless(t.names, names)
	return t.clearData(data)
}

// keepDeltas marks one table of pc deltas: pairs of varints until a first one is 0, which
// the very first may be.
func keepDeltas(table []byte, keep []bool, offset uint32) error {
	if offset == 0 {
		return nil
	}
	if uint64(offset) > uint64(len(table)) {
		return fmt.Errorf("pc table at %d, which has %d bytes", offset, len(table))
	}
	r := &reader{left: table[offset:]}
	for first := true; !r.broken; first = false {
		if r.unsigned() == 0 && !first {
			break
		}
		r.unsigned()
	}
	if r.broken {
		return fmt.Errorf("pc table at %d has no end", offset)
	}
	mark(keep, int(offset), len(table)-len(r.left))
	return nil
}

func keepName(names []byte, keep []bool, offset uint32) error {
	if uint64(offset) >= uint64(len(names)) {
		return fmt.Errorf("name at %d of %d bytes", offset, len(names))
	}
	length := bytes.IndexByte(names[offset:], 0)
	if length < 0 {
		return fmt.Errorf("name at %d has no end", offset)
	}
	mark(keep, int(offset), int(offset)+length+1)
	return nil
}

// clearData clears the functions' data that are not needed. Each ends where the next
// begins; the last one's end is not known, so it stays.
func (t *tables) clearData(needed map[uint32]bool) error {
	offsets := slices.Sorted(maps.Keys(needed))
	for i, offset := range offsets {
		if uint64(offset) > uint64(len(t.data)) {
			return errors.New("function data outside of the memory")
		}
		if !needed[offset] && i+1 < len(offsets) && uint64(offsets[i+1]) <= uint64(len(t.data)) {
			clear(t.data[offset:offsets[i+1]])
		}
	}
	return nil
}

func mark(keep []bool, from, to int) {
	for i := from; i < to; i++ {
		keep[i] = true
	}
}

func clearUnless(table []byte, keep []bool) {
	for i := range table {
		if !keep[i] {
			table[i] = 0
		}
	}
}
