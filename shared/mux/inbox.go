package mux

import (
	"sync"

	"github.com/sockmux/sockmux/shared/budget"
	"github.com/sockmux/sockmux/shared/buffer"
)

// inbox holds the bytes that a stream has received and not given to its reader, in chunks
// from pools. An idle stream holds none, an unread one little more than its window.
type inbox struct {
	first, last *chunk
	filling     bool // the reader of frames has room in the last chunk
	memory      *budget.Account
	lent        int // bytes that the reader has got and is not done with
}

type chunk struct {
	next   *chunk
	class  int
	read   int
	filled int
	bytes  []byte
	body   buffer.Payload // instead of bytes; nil: they are in bytes
}

// chunkSizes: most frames of an interactive stream fit the first, and those of a busy one
// fill the last.
var chunkSizes = [...]int{1 << 10, 8 << 10, MaxFrame}

var chunkPools [len(chunkSizes)]sync.Pool

func takeChunk(n int) *chunk {
	class := 0
	for class < len(chunkSizes)-1 && chunkSizes[class] < n {
		class++
	}
	if c, ok := chunkPools[class].Get().(*chunk); ok {
		return c
	}
	return &chunk{class: class, bytes: make([]byte, chunkSizes[class])}
}

// give gives a chunk back that is not part of the inbox any more.
func (i *inbox) give(c *chunk) {
	i.memory.Hold(-c.size())
	c.give()
}

// size is the memory that the chunk holds.
func (c *chunk) size() int {
	if c.body != nil {
		return c.body.Len()
	}
	return len(c.bytes)
}

// lend notes that the reader has got n bytes, and is done with those before.
func (i *inbox) lend(n int) {
	i.memory.Hold(n - i.lent)
	i.lent = n
}

func (c *chunk) give() {
	if c.body != nil {
		c.body.Release()
		return
	}
	c.next, c.read, c.filled = nil, 0, 0
	chunkPools[c.class].Put(c)
}

func (i *inbox) empty() bool {
	return i.first == nil || i.first.read == i.first.filled && i.first.next == nil
}

// room returns where the next of n bytes go. Until filled is called, that memory belongs
// to the caller.
func (i *inbox) room(n int) []byte {
	if i.last == nil || i.last.body != nil || i.last.filled == len(i.last.bytes) {
		i.append(takeChunk(n))
	}
	i.filling = true
	free := i.last.bytes[i.last.filled:]
	return free[:min(len(free), n)]
}

func (i *inbox) append(c *chunk) {
	i.memory.Hold(c.size())
	if i.last == nil {
		i.first = c
	} else {
		i.last.next = c
	}
	i.last = c
}

// put appends a body, which is the inbox's from now on.
func (i *inbox) put(body buffer.Payload) { i.append(&chunk{body: body, filled: body.Len()}) }

// takeBody gives the body that comes next, which is the caller's from now on; nil where
// that is none, was read in part or is longer than most.
func (i *inbox) takeBody(most int) buffer.Payload {
	c := i.first
	if c == nil || c.body == nil || c.read > 0 || c.filled > most {
		return nil
	}
	body := c.body
	i.memory.Hold(-c.size())
	if i.first = c.next; i.first == nil {
		i.last = nil
	}
	return body
}

// filled says that n bytes of the room have come.
func (i *inbox) filled(n int) {
	i.filling = false
	if i.last != nil { // else it was dropped meanwhile
		i.last.filled += n
		i.trim()
	}
}

// take moves bytes into b. It stops before a body, for which the next reader may have a
// better use.
func (i *inbox) take(b []byte) (n int) {
	for c := i.first; c != nil && n < len(b) && (n == 0 || c.body == nil); c = i.first {
		m := c.copy(b[n:])
		c.read += m
		n += m
		if c.read < c.filled || !i.trim() {
			break
		}
	}
	return n
}

func (c *chunk) copy(b []byte) int {
	if c.body == nil {
		return copy(b, c.bytes[c.read:c.filled])
	}
	n := min(len(b), c.filled-c.read)
	c.body.CopyAt(b[:n], c.read)
	return n
}

// trim gives the first chunk back if it has been read to its end; it returns false if the
// chunk stays.
func (i *inbox) trim() bool {
	c := i.first
	if c == nil || c.read < c.filled || c == i.last && i.filling {
		return false
	}
	i.first = c.next
	if i.first == nil {
		i.last = nil
	}
	i.give(c)
	return true
}

// drop forgets everything. A chunk that is being filled does not go back to its pool.
func (i *inbox) drop() {
	for c := i.first; c != nil; {
		next := c.next
		if c != i.last || !i.filling {
			i.give(c)
		} else {
			i.memory.Hold(-len(c.bytes))
		}
		c = next
	}
	i.first, i.last = nil, nil
	i.lend(0)
}
