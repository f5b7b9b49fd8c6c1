package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The head of the function tables (runtime.pcHeader): magic of Go 1.20 and later, two
// zeros, the smallest instruction (1), the size of a pointer (8).
var tablesMagic = []byte{0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8}

const (
	tablesHead  = 72  // bytes of runtime.pcHeader
	functionLen = 44  // bytes of runtime._func before its two lists
	gofuncField = 320 // of runtime.moduledata
	endField    = 328 // of runtime.moduledata, epclntab: the end of the tables
	noData      = ^uint32(0)
)

// Fields of runtime._func, as offsets.
const (
	fieldName       = 4
	fieldStack      = 16 // pcsp
	fieldFile       = 20 // pcfile
	fieldLine       = 24 // pcln
	fieldPCCount    = 28
	fieldUnit       = 32 // cuOffset
	fieldStartLine  = 36
	fieldDataCount  = 43
	bytesOfOneEntry = 4
)

// What internal/abi calls PCDATA_ and FUNCDATA_ and nothing reads but the printing of a
// trace: what was inlined, and the arguments. The unsafe points are for preemption by
// signals, which wasm has not.
var (
	tracePCData = []int{0 /* UnsafePoint */, 2 /* InlTreeIndex */, 3 /* ArgLiveIndex */}
	traceData   = []int{3 /* InlTree */, 5 /* ArgInfo */, 6 /* ArgLiveInfo */, 7 /* WrapInfo */}
)

// tables are the linker's function tables within the program's memory; all slices share it.
type tables struct {
	names     []byte // function names, each ended by a zero
	files     []byte // the units' lists of files, and the files' names
	deltas    []byte // pctab: pairs of varints, ended by a zero
	functions []byte // pairs (pc, offset of the _func) and behind them the _funcs
	count     int
	data      []byte // from go:func.* on: what functions' data point into
}

func findTables(memory []byte) (*tables, error) {
	start := bytes.Index(memory, tablesMagic)
	if start < 0 || len(memory)-start < tablesHead {
		return nil, errors.New("no function tables of Go 1.20 to 1.26")
	}
	head := memory[start:]
	word := func(i int) int { return int(binary.LittleEndian.Uint64(head[i:])) }
	count, names, units, deltas, functions := word(8), word(32), word(40), word(56), word(64)

	// The module's description begins with the address of the head and that of the names.
	key := binary.LittleEndian.AppendUint64(nil, uint64(start))
	key = binary.LittleEndian.AppendUint64(key, uint64(start+names))
	description := bytes.Index(memory, key)
	if description < 0 || len(memory)-description < endField+8 {
		return nil, errors.New("function tables without a runtime.moduledata")
	}
	gofunc := int(binary.LittleEndian.Uint64(memory[description+gofuncField:]))
	end := int(binary.LittleEndian.Uint64(memory[description+endField:]))

	inOrder := []int{0, start + tablesHead, start + names, start + units, start + deltas, start + functions, end, len(memory)}
	if !slices.IsSorted(inOrder) || gofunc < 0 || gofunc > len(memory) || count < 0 || count > (end-start-functions)/8 {
		return nil, fmt.Errorf("function tables at %d do not have the layout of Go 1.20 to 1.26", start)
	}
	return &tables{
		names:     head[names:units],
		files:     head[units:deltas],
		deltas:    head[deltas:functions],
		functions: head[functions : end-start],
		count:     count,
		data:      memory[gofunc:],
	}, nil
}

// function gives the i-th _func with its two lists: offsets of its pc tables, and of its data.
func (t *tables) function(i int) (f, pcs, data []byte, err error) {
	at := uint64(binary.LittleEndian.Uint32(t.functions[8*i+4:]))
	if at+functionLen <= uint64(len(t.functions)) {
		f = t.functions[at:]
		lists := f[functionLen:]
		nPC, nData := uint64(field(f, fieldPCCount)), uint64(f[fieldDataCount])
		if bytesOfOneEntry*(nPC+nData) <= uint64(len(lists)) {
			return f, lists[:bytesOfOneEntry*nPC], lists[bytesOfOneEntry*nPC : bytesOfOneEntry*(nPC+nData)], nil
		}
	}
	return nil, nil, nil, fmt.Errorf("function %d of %d lies outside of the tables", i, t.count)
}

func field(b []byte, at int) uint32       { return binary.LittleEndian.Uint32(b[at:]) }
func setField(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
