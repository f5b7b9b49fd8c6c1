//go:build !js

package websocket

import (
	"sync"

	"github.com/sockmux/sockmux/shared/wire"
)

// beyond is how much longer than the longest message a buffer is: the library gives one byte
// beyond its limit, and the end needs room for one.
const beyond = 2

// bufferSizes are those of the buffers for messages. Most messages fit the first. The steps are
// small because a bare message keeps its buffer until its stream's reader has taken the bytes.
var bufferSizes = [...]int{
	4 << 10, MaxFirst + beyond, 64<<10 + beyond, 128<<10 + beyond, 256<<10 + beyond,
	512<<10 + beyond, wire.MaxMessage + beyond,
}

// wasteful is how many times as large as needed a buffer is that a bare message leaves.
const wasteful = 4

var bufferPools [len(bufferSizes)]sync.Pool

// classOf returns the class of the smallest buffer for a message of n bytes.
func classOf(n int) int {
	class := 0
	for bufferSizes[class] < n+beyond {
		class++
	}
	return class
}

// takeBuffer returns a buffer of a class.
func takeBuffer(class int) *[]byte {
	if pooled, ok := bufferPools[class].Get().(*[]byte); ok {
		return pooled
	}
	made := make([]byte, bufferSizes[class])
	return &made
}

// giveBuffer gives a buffer of takeBuffer back.
func giveBuffer(class int, b *[]byte) { bufferPools[class].Put(b) }

// forecast says which buffer the next message likely needs. A buffer that is too small costs a
// copy for each step, so the forecast rises at once and falls by one class a message.
type forecast int

func (f forecast) class() int { return int(f) }

// came notes the class of a message.
func (f *forecast) came(class int) { *f = max(forecast(class), *f-1) }
