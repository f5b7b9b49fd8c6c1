package config

import (
	"strconv"

	"github.com/sockmux/sockmux/server/session/limit"
)

// limitsSection is where the file has limits: at its top for every client, in a policy for
// those who have that policy.
const limitsSection = "limits"

// perClient is the limit whose default depends on other settings.
const perClient = "max-sessions-per-client"

// clientShare is the part of all sessions that one client has by default: a quarter. A class or
// an office behind one address fits into it, and three such clients leave room for others.
const clientShare = 4

// sessionsPerClient returns the default of Limits.Sessions. On loopback all clients are one.
func (c *Config) sessionsPerClient() int {
	if isLoopback(c.Listen) && len(c.TrustedProxies) == 0 {
		return 0
	}
	return max(c.MaxSessions/clientShare, 1)
}

// limitsOf binds the limits of one client to l. The settings are flags, keys of the
// file's limits, and keys of the limits of each policy.
func limitsOf(l *limit.Limits) []setting {
	settings := []setting{
		{
			name: perClient, hint: "NUMBER",
			help:  "Maximum number of sessions of one client. A client is an identity or, without authentication, an IPv4 address or an IPv6 /64. 0 means no limit. If not set, and other machines can connect, it is a quarter of --max-sessions.",
			parse: integer(&l.Sessions, 0, maxSessions), print: printed(&l.Sessions, strconv.Itoa),
		},
		{
			name: "session-idle-timeout", hint: "TIME",
			help:  "End a session that has had no stream for this time. 0 means never.",
			parse: duration(&l.SessionIdle, minTime, 30*maxTime, "never"), print: printed(&l.SessionIdle, brief),
		},
		{
			name: "session-lifetime", hint: "TIME",
			help:  "End a session after this time, even if it is in use. 0 means never.",
			parse: duration(&l.SessionLifetime, minTime, 30*maxTime, "never"), print: printed(&l.SessionLifetime, brief),
		},
		{
			name: "max-streams", hint: "NUMBER",
			help:  "Maximum number of streams in one session.",
			parse: integer(&l.Streams, 1, maxStreams), print: printed(&l.Streams, strconv.Itoa),
		},
		{
			name: "max-listeners", hint: "NUMBER",
			help:  "Maximum number of listeners in one session, where --allow-listen allows some.",
			parse: integer(&l.Listeners, 1, maxStreams), print: printed(&l.Listeners, strconv.Itoa),
		},
		{
			name: "opens-per-second", hint: "NUMBER",
			help:  "Maximum number of streams that one client opens per second. A burst may be ten times as many. 0 means no limit.",
			parse: integer(&l.Opens, 0, maxOpens), print: printed(&l.Opens, strconv.Itoa),
		},
		{
			name: "bytes-per-second", hint: "SIZE",
			help:  "Maximum rate of all streams of one client, both directions together, such as 500k, 2M or 1MiB. Data beyond it waits. 0 means no limit.",
			parse: size(&l.BytesPerSecond, minRate, maxBytes), print: printed(&l.BytesPerSecond, briefSize),
		},
		{
			name: "bytes-per-day", hint: "SIZE",
			help:  "Maximum number of bytes that one client moves per UTC day, both directions together. 0 means no limit.",
			parse: size(&l.BytesPerDay, 1, maxBytes), print: printed(&l.BytesPerDay, briefSize),
		},
		{
			name: "dial-timeout", hint: "TIME",
			help:  "Time limit for resolving and connecting to a target.",
			parse: duration(&l.DialTimeout, minTime, maxDial, ""), print: printed(&l.DialTimeout, brief),
		},
		{
			name: "idle-timeout", hint: "TIME",
			help:  "End a stream that has moved no byte for this time. 0 means never.",
			parse: duration(&l.StreamIdle, minTime, 30*maxTime, "never"), print: printed(&l.StreamIdle, brief),
		},
		{
			name: "stream-lifetime", hint: "TIME",
			help:  "End a stream after this time, even if it is in use. 0 means never.",
			parse: duration(&l.StreamLifetime, minTime, 30*maxTime, "never"), print: printed(&l.StreamLifetime, brief),
		},
	}
	for i := range settings {
		settings[i].group, settings[i].live = groupLimits, true
	}
	return settings
}
