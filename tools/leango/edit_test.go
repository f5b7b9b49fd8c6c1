package main

import "testing"

func TestApply(t *testing.T) {
	c := changes{
		bodies:   map[string]string{"cut": "return 7", "thing.cut": "", "list.cut": "return nil"},
		settings: map[string]string{"slow": "int32(0)", "safe": "false"},
		found:    make(map[string]bool),
	}
	const before = `package runtime

import (
	"bytes"
	"math/bits"
	named "strings"
)

func cut() int { return bits.Len(uint(debug.slow)) }

func (t *thing) cut() { bytes.Clone(nil) }

func (thing) stays() { named.Clone("") }

func reads() {
	if debug.slow > 0 && debug.slow.Load() > debug.other.Load() {
		debug.slow = debug.other
	}
	for debug.safe = debug.safe || list[debug.slow] != 0; ; {
		debug.slow.Store(debug.slow + 1)
		give(&debug.slow, debug.slow)
	}
}
`
	const after = `package runtime

import (
	_ "bytes"
	_ "math/bits"
	named "strings"
)

func cut() int { return 7 }

func (t *thing) cut() {  }

func (thing) stays() { named.Clone("") }

func reads() {
	if int32(0) > 0 && int32(0) > debug.other.Load() {
		debug.slow = debug.other
	}
	for debug.safe = false || list[int32(0)] != 0; ; {
		debug.slow.Store(int32(0) + 1)
		give(&debug.slow, int32(0))
	}
}
`
	got, err := c.apply("a.go", []byte(before))
	if err != nil || string(got) != after {
		t.Errorf("%v\n%s", err, got)
	}
	if !c.found["cut"] || !c.found["thing.cut"] || c.found["list.cut"] {
		t.Errorf("found %v", c.found)
	}
}
