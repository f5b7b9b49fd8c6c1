package sockmux

import (
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// flushTimeout is how long Close waits for bytes without any progress.
	flushTimeout = 2 * time.Second
	// firstFlushTimeout is that of a session that has no connection yet: a dial takes its time.
	firstFlushTimeout = 15 * time.Second
	// flushLook is how often Close looks for progress.
	flushLook = flushTimeout / 8
)

// Close closes all connections, delivers what their Write has taken, and ends the session. It
// waits for that as long as bytes move; without progress it gives up after 2 s, or after 15 s
// if there was no connection to the server yet. Later dials fail with net.ErrClosed. Close may
// be called again, and then returns when the first call does.
func (d *Dialer) Close() error {
	d.mu.Lock()
	first := !d.closed
	d.closed = true
	s := d.session
	conns := make([]*Conn, 0, len(d.conns))
	for c := range d.conns {
		conns = append(conns, c)
	}
	d.mu.Unlock()
	if first {
		for _, c := range conns {
			_ = c.Close() // fails only where it is closed
		}
		if s != nil {
			d.flush(s)
			d.resetAll()
			s.close()
		}
		d.drains.Wait()
		close(d.over())
	}
	<-d.over()
	return nil
}

// flush waits until the send buffers are empty, or nothing moves.
func (d *Dialer) flush(s session) {
	empty := make(chan struct{})
	go func() { // ends at the latest when the session is closed
		d.drains.Wait()
		close(empty)
	}()
	tick := time.NewTicker(flushLook)
	defer tick.Stop()
	patience := flushTimeout
	if s.status().State == StateConnecting {
		patience = firstFlushTimeout
	}
	last := s.progress()
	for idle := time.Duration(0); idle < patience; idle += flushLook {
		select {
		case <-empty:
			return
		case <-tick.C:
		}
		if now := s.progress(); now != last {
			last, idle = now, 0
		}
	}
}

// resetAll resets the connections that have not delivered their bytes. Their targets must not
// take what has come for all.
func (d *Dialer) resetAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		_ = c.stream.Reset(wire.Aborted, "") // never fails
	}
}

// over returns the channel that Close closes when all has ended.
func (d *Dialer) over() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended == nil {
		d.ended = make(chan struct{})
	}
	return d.ended
}
