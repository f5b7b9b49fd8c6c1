package notsentlowat

import "syscall"

// Limit limits the unsent data of a TCP connection to 128 KiB; what is under way counts
// apart, and is as much as the path takes. Where it cannot be set the connection works as
// well, only less briskly.
func Limit(raw syscall.RawConn) { set(raw, least) }
