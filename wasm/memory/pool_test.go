package memory

import "testing"

func TestBuffersAreUsedAgain(t *testing.T) {
	var p Pool
	b := p.Get(100)
	if len(b) != 100 || cap(b) != 1<<10 {
		t.Fatalf("got %d of %d bytes", len(b), cap(b))
	}
	b[0] = 7
	p.Put(b)
	if again := p.Get(1000); len(again) != 1000 || &again[0] != &b[0] {
		t.Error("the buffer was not used again")
	}
	if other := p.Get(1000); &other[0] == &b[0] {
		t.Error("a buffer was handed out twice")
	}
}

func TestFreeBuffersAreBounded(t *testing.T) {
	var p Pool
	for range 10 {
		p.Put(make([]byte, 0, 1<<20))
	}
	if n := len(p.free[len(classes)-1]); n != kept>>20 {
		t.Errorf("%d buffers of 1 MiB are kept, want %d", n, kept>>20)
	}
	p.Put(make([]byte, 3)) // not from here: dropped
	if huge := p.Get(2 << 20); len(huge) != 2<<20 {
		t.Errorf("got %d bytes", len(huge))
	}
}
