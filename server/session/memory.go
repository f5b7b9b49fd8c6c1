package session

import (
	"math"

	"github.com/sockmux/sockmux/shared/budget"
)

// What is counted for a session and a stream beside the bytes that they carry, in bytes:
// goroutines, their stacks, and the buffers of connections (docs/SECURITY.md has figures).
const (
	sessionCost = 48 << 10
	streamCost  = 16 << 10
)

// idleShare is the part of the memory that sessions may take without moving a byte: half. Else a
// crowd of idle sessions would use it up, and the largest of those that work would end for it.
const idleShare = 2

// SessionsIn returns how many sessions there may be in so many bytes of memory.
func SessionsIn(memory int64) int {
	return int(min(max(memory/idleShare/sessionCost, 1), math.MaxInt32))
}

// MemoryFloor is what a session may hold of each kind, in bytes, however little memory is left.
const MemoryFloor = 128 << 10

// memory is what one session holds of the server's memory, by kind. Each kind stops at its own
// bound: bytes of the client must not wait for those towards the client, or acknowledgements
// would wait behind what they acknowledge.
type memory struct {
	received *budget.Account // of the client, that targets have not taken
	unacked  *budget.Account // for the client, that it has not acknowledged
	buffers  *budget.Account // everything else
}

func (r *Registry) newMemory() memory {
	m := memory{r.config.Memory.Account(), r.config.Memory.Account(), r.config.Memory.Account()}
	m.buffers.Hold(sessionCost)
	return m
}

// over reports whether the session may not begin anything that needs memory.
func (m memory) over() bool { return m.received.Over() || m.unacked.Over() || m.buffers.Over() }

// held returns how many bytes the session holds.
func (m memory) held() int64 { return m.received.Held() + m.unacked.Held() + m.buffers.Held() }

func (m memory) close() {
	m.received.Close()
	m.unacked.Close()
	m.buffers.Close()
}
