package sockmux

import (
	"maps"
	"slices"
	"time"

	"github.com/sockmux/sockmux/shared/client"
)

// Close closes all listeners and connections, delivers what their Write has taken, and ends the
// session. It waits for that as long as bytes move; without progress it gives up after 2 s, or
// after 15 s if there was no connection to the server yet. Later dials fail with net.ErrClosed.
// Close may be called again, and then returns when the first call does. The error is nil.
func (d *Dialer) Close() error {
	d.close.Do(d.shutdown)
	return nil
}

func (d *Dialer) shutdown() {
	d.mu.Lock()
	d.closed = true
	s := d.session
	conns := slices.Collect(maps.Keys(d.conns))
	listeners := slices.Collect(maps.Keys(d.listeners))
	d.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close() // likewise
	}
	for _, c := range conns {
		_ = c.Close() // fails only where it is closed
	}
	empty := make(chan struct{})
	go func() { // awaited below
		d.drains.Wait()
		close(empty)
	}()
	if s != nil {
		ctx, stop := client.WhileProgress(s.progress, func() time.Duration {
			return client.Patience(s.status().State != StateConnecting)
		})
		select {
		case <-empty:
		case <-ctx.Done():
		}
		stop()
		d.resetAll()
		s.close()
	}
	<-empty
}

// resetAll resets the connections that have not delivered their bytes. Their targets must not
// take what has come for all.
func (d *Dialer) resetAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.abort()
	}
}
