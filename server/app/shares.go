package app

import (
	"log/slog"

	"github.com/sockmux/sockmux/server/app/descriptors"
	"github.com/sockmux/sockmux/server/app/memory"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/budget"
)

// shares are the parts into which the server divides what the process has, so that strangers
// compete among themselves only, and sessions leave something for others.
type shares struct {
	plan        descriptors.Plan
	connections *listener.Connections // those that are not upgraded
	plain       *places.Pool          // of connections
	strangers   *places.Pool          // of WebSockets without a session
	sockets     *budget.Budget        // of connections to targets
	memory      *budget.Budget
}

// streamsFloor is how many streams a session may have however few descriptors are left.
const streamsFloor = 4

// warnOfDescriptors warns if the process may have fewer descriptors than so many sessions need.
// Go has raised the soft limit to the hard one.
func warnOfDescriptors(maxSessions int, logger *slog.Logger) {
	limit, needed := descriptors.Limit(), descriptors.Needed(maxSessions)
	if limit > 0 && limit < needed {
		logger.Warn("too few descriptors for --max-sessions: raise the limit (LimitNOFILE=, ulimit -Hn) or lower --max-sessions", "limit", limit, "needed", needed, "max_sessions", maxSessions)
	}
}

// warnOfMemory warns if so many sessions do not fit into what sessions may hold, in bytes.
func warnOfMemory(maxSessions int, budget int64, logger *slog.Logger) {
	if room := session.SessionsIn(budget); room < maxSessions {
		logger.Warn("too little memory for --max-sessions: raise --max-memory or lower --max-sessions", "room", room, "max_sessions", maxSessions)
	}
}

// divide makes the shares for the process's limits.
func divide(settings *config.Config) shares {
	plan := descriptors.Divide(descriptors.Limit(), settings.MaxSessions)
	plain := places.New(plan.Plain)
	return shares{
		plan:        plan,
		connections: listener.NewConnections(plain, settings.TrustedProxies),
		plain:       plain,
		strangers:   places.New(plan.Strange),
		sockets:     budget.New(int64(plan.Streams), streamsFloor),
		memory:      budget.New(memory.Budget(settings.MaxMemory), session.MemoryFloor),
	}
}
