// Package buffer has the contract by which the layers of a session share memory: a payload
// that stays where its transport has put it.
package buffer

// Payload is a bare message (docs/PROTOCOL.md, 3.2) that its carrier keeps outside of this
// program's memory. It has one owner, which calls Release once or hands the payload on.
type Payload interface {
	// Len returns the length in bytes.
	Len() int
	// CopyAt fills b with the bytes from offset at on. There must be as many.
	CopyAt(b []byte, at int)
	// Release frees the payload.
	Release()
}

// Bytes is a Payload in this program's memory. Release leaves the bytes to the garbage
// collector.
type Bytes []byte

// Len implements Payload.
func (b Bytes) Len() int { return len(b) }

// CopyAt implements Payload.
func (b Bytes) CopyAt(to []byte, at int) { copy(to, b[at:at+len(to)]) }

// Release implements Payload.
func (b Bytes) Release() {}
