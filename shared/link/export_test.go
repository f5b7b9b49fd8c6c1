package link

import "time"

// Alive is what the watchdog asks.
func (l *Link) Alive(due time.Time) time.Duration { return l.alive(due) }
