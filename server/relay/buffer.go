package relay

import "sync"

// bufferSizes are what one read takes at most. A reader begins with the smallest, because
// most streams carry little at a time, and where a reader must hold its buffer while it
// waits; it goes on with larger ones as long as it fills them, because each read is a
// system call.
var bufferSizes = [...]int{1 << 10, 8 << 10, 64 << 10}

var bufferPools [len(bufferSizes)]sync.Pool

// buffer is what one direction of a stream reads into.
type buffer struct {
	class int
	bytes []byte // nil: to be taken from the pool
}

// get returns the memory for the next read. It is valid until the next call of a method.
func (b *buffer) get() []byte {
	if b.bytes == nil {
		if pooled, ok := bufferPools[b.class].Get().(*[]byte); ok {
			b.bytes = *pooled
		} else {
			b.bytes = make([]byte, bufferSizes[b.class])
		}
	}
	return b.bytes
}

// used tells how many bytes a read gave, when they are not needed any more.
func (b *buffer) used(n int) {
	switch {
	case n == len(b.bytes) && b.class < len(bufferSizes)-1:
		b.put()
		b.class++
	case b.class > 0 && n <= bufferSizes[b.class-1]/2:
		b.put()
		b.class--
	}
}

// largest reports whether no read takes more.
func (b *buffer) largest() bool { return b.class == len(bufferSizes)-1 }

// put gives the memory back.
func (b *buffer) put() {
	if b.bytes != nil {
		bytes := b.bytes
		bufferPools[b.class].Put(&bytes)
		b.bytes = nil
	}
}
