package mux

import (
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// backlog is how many streams may wait for the accepter; each may have filled its first window, so they count in what a session may hold. An opener waits at the same
// number, so an honest one is never refused for it.
const backlog = 256

// never stands for "no timeout" where yamux wants one: the link keeps writes waiting while it has no carrier, and that is no error.
const never = 365 * 24 * time.Hour

// yamuxConfig is yamux without timers of its own: the link knows when the other end is gone, and a stream may be half-closed for as long as it likes.
func yamuxConfig(window uint32, log *lastLine) *yamux.Config {
	c := yamux.DefaultConfig()
	c.AcceptBacklog = backlog
	c.EnableKeepAlive = false
	c.ConnectionWriteTimeout = never
	c.MaxStreamWindowSize = window
	c.StreamOpenTimeout = 0
	c.StreamCloseTimeout = 0
	c.LogOutput = log
	return c
}

// lastLine keeps the last line that yamux logged: it is the only place where yamux says why it gave a session up.
type lastLine struct {
	mu   sync.Mutex
	text string
}

func (l *lastLine) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, text, _ := strings.Cut(strings.TrimSpace(string(b)), "yamux: ")
	l.text = text
	return len(b), nil
}

func (l *lastLine) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text
}
