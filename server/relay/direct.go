package relay

// direct writes to a connection without waiting. The zero value is ready.
type direct struct {
	writing
	err error // of a write, which the next write in the usual way returns: a system reports it once
}

// writeDirect gives the target some bytes, as many as it takes at once, and returns how many that
// is. It is for streams whose bytes come by a goroutine that has nothing better to do: no other one
// has to be woken then. It takes none where the client's bytes are metered.
func (p *pipe) writeDirect(b []byte) int {
	if p.direct.err != nil || p.relay.Meter != nil && !p.relay.Meter.Unbounded() {
		return 0
	}
	p.idle.touch()
	p.countUp(len(b)) // first, as in writeUp
	n, err := p.direct.now(p.conn, b)
	p.countUp(n - len(b))
	p.direct.err = err
	if n > 0 && p.relay.Meter != nil {
		p.relay.Meter.Count(n)
	}
	return n
}
