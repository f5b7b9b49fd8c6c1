package sockmux

import (
	"time"

	"github.com/sockmux/sockmux/shared/client"
)

// A State says what the session of a Dialer does.
type State string

// The states. Their names are those of the page's status.
const (
	StateIdle       State = "idle"       // nothing was dialed yet, or the session has ended as it should
	StateConnecting State = "connecting" // the WebSocket is being opened
	StateOpen       State = "open"       // connections flow
	StateResuming   State = "resuming"   // the WebSocket was lost, and another is being opened
	StateClosed     State = "closed"     // the session was lost; the next dial starts another
)

var states = map[client.Phase]State{
	client.Idle: StateIdle, client.Connecting: StateConnecting, client.Open: StateOpen,
	client.Resuming: StateResuming, client.Closed: StateClosed,
}

// A Status tells what the session of a Dialer does.
type Status struct {
	State   State
	Since   time.Time // of the state
	Attempt int       // to open the WebSocket, from 1; 0 if none is under way
	Err     error     // why it is not open, around a *wire.Error; nil: nothing went wrong
}

// Status returns the present status.
func (d *Dialer) Status() Status {
	d.mu.Lock()
	s := d.session
	d.mu.Unlock()
	if s == nil {
		return Status{State: StateIdle}
	}
	return s.status()
}
