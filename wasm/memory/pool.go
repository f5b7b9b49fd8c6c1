// Package memory hands out the buffers that cross the boundary to JavaScript. The wasm's
// memory never shrinks, so buffers are used again.
package memory

import "sync"

// classes of buffers, in bytes. The largest is a whole message of the link.
var classes = [...]int{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}

// kept is how many free bytes of each class are kept: enough for a transfer at full speed.
const kept = 2 << 20

// Pool holds free buffers. Any number of goroutines may use it.
type Pool struct {
	mu   sync.Mutex
	free [len(classes)][][]byte
}

func class(n int) int {
	for i, size := range classes {
		if n <= size {
			return i
		}
	}
	return -1
}

// Get returns a buffer of n bytes with any content.
func (p *Pool) Get(n int) []byte {
	i := class(n)
	if i < 0 {
		return make([]byte, n)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.free[i]) - 1; last >= 0 {
		b := p.free[i][last]
		p.free[i][last] = nil
		p.free[i] = p.free[i][:last]
		return b[:n]
	}
	return make([]byte, n, classes[i])
}

// Put gives a buffer back that Get returned.
func (p *Pool) Put(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, size := range classes {
		if cap(b) == size && len(p.free[i]) < max(1, kept/size) {
			p.free[i] = append(p.free[i], b[:0])
		}
	}
}
