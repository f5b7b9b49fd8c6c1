package mux

import (
	"testing"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/buffer"
)

// TestPayloadsAreHeld: a bare message counts as memory until its reader has it.
func TestPayloadsAreHeld(t *testing.T) {
	const size = 100 << 10
	held := func(i *inbox, want int64, when string) {
		t.Helper()
		if got := i.memory.Held(); got != want {
			t.Errorf("%s: %d bytes are held, want %d", when, got, want)
		}
	}
	i := &inbox{memory: budget.New(1<<30, 0).Account()}
	put := func() { i.put(make(buffer.Bytes, size)) }

	put()
	held(i, size, "a payload waits")
	if body := i.takeBody(size); body == nil || body.Len() != size {
		t.Fatalf("took %v", body)
	}
	held(i, 0, "it was taken")

	put()
	put()
	if n := i.take(make([]byte, size/2)); n != size/2 {
		t.Fatalf("%d bytes", n)
	}
	held(i, 2*size, "one was read in part")
	if n := i.take(make([]byte, size)); n != size/2 {
		t.Fatalf("%d bytes", n)
	}
	held(i, size, "one was read")
	i.drop()
	held(i, 0, "all was dropped")
}
