package client

import (
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// Phase says what the newest session does. The numbers are part of the boundary to JavaScript.
type Phase int

// The phases.
const (
	Idle       Phase = iota // no session: nothing was opened yet, or the last one has ended as it should
	Connecting              // the first carrier is being dialed, or the hello is under way
	Open                    // streams flow
	Resuming                // the carrier was lost and the session waits for another
	Closed                  // the last session has ended and not as it should; the next stream starts another
)

// String returns the phase's name as the page shows it.
func (p Phase) String() string {
	return [...]string{"idle", "connecting", "open", "resuming", "closed"}[p]
}

// State is what Config.OnState is told.
type State struct {
	Phase   Phase
	Since   time.Time
	Attempt int         // of the dial, from 1; 0 where nothing is dialed
	Reason  *wire.Error // why it is not open: of the last failed attempt, or of the end; nil: nothing went wrong
}

func (c *Client) setState(s *session, phase Phase, attempt int, reason *wire.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.newest != s {
		return // an older session's news are of no interest
	}
	state := State{Phase: phase, Since: c.state.Since, Attempt: attempt, Reason: reason}
	if phase != c.state.Phase {
		state.Since = time.Now()
	}
	c.state = state
	if c.config.OnState != nil {
		c.config.OnState(state)
	}
}

// State returns the present state.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}
