package notsentlowat

import "syscall"

// Following is the limit of a connection that carries messages of a length which tells
// how fast the path is, such as those of a link: four messages, 128 KiB at least and 2
// MiB at most. On a fast path the system then takes a message at once; on a slow one
// little waits there. It is for one goroutine at a time.
type Following struct {
	raw  syscall.RawConn
	rule rule
}

// Follow limits a connection as Limit does, until messages need more. The connection
// stays the caller's.
func Follow(raw syscall.RawConn) *Following {
	f := &Following{raw: raw, rule: newRule()}
	set(raw, f.rule.limit)
	return f
}

// Sending is to be called before a message of that many bytes is written. The limit
// seldom changes for it; on a connection that has ended nothing happens.
func (f *Following) Sending(length int) {
	if f.rule.next(length) {
		set(f.raw, f.rule.limit)
	}
}
