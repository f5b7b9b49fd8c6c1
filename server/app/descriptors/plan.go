// Package descriptors divides the process's file descriptors, so that strangers cannot take
// those of live sessions, nor streams those of newcomers.
//
//	plan := descriptors.Divide(descriptors.Limit(), maxSessions)
//	pool := places.New(plan.Plain)
package descriptors

import (
	"math"
	"sort"
)

// assumed is the limit where the system does not tell one: Windows has none that matters.
const assumed = 1 << 16

// fixed is what the process itself holds: standard streams, log, listeners, epoll, files that
// are being read.
const fixed = 24

// Bounds of the parts. The lower ones are for tiny limits: there nothing works well.
const (
	minPart    = 8
	maxPlain   = 4096 // each holds a few KiB while it is idle
	maxStrange = 1024 // each holds up to 40 KiB
	maxLookups = 256
)

// socketsPerLookup is one for IPv4 and one for IPv6 addresses.
const socketsPerLookup = 2

// Plan is how many of each kind there may be at once.
type Plan struct {
	Limit    int // of all descriptors
	Plain    int // HTTP connections that are not upgraded
	Strange  int // WebSockets without a session
	Lookups  int // of names
	Sessions int // WebSockets of sessions for which descriptors are kept
	Streams  int // connections to targets
}

// Divide returns the plan for a limit of descriptors, 0 where it is not known, and so many
// sessions. An eighth is for plain connections, a sixteenth each for WebSockets without a
// session and for lookups. Of the rest at most a quarter is kept for sessions.
func Divide(limit, sessions int) Plan {
	if limit <= 0 {
		limit = assumed
	}
	p := Plan{
		Limit:   limit,
		Plain:   min(max(limit/8, minPart), maxPlain),
		Strange: min(max(limit/16, minPart), maxStrange),
		Lookups: min(max(limit/16/socketsPerLookup, minPart/socketsPerLookup), maxLookups),
	}
	rest := limit - fixed - p.Plain - p.Strange - socketsPerLookup*p.Lookups
	p.Sessions = min(sessions, max(rest/4, minPart))
	p.Streams = max(rest-p.Sessions, minPart)
	return p
}

// Needed returns the least limit whose plan keeps a descriptor for each of so many sessions.
func Needed(sessions int) int {
	return sort.Search(math.MaxInt32, func(limit int) bool { return limit > 0 && Divide(limit, sessions).Sessions >= sessions })
}
