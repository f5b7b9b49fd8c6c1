package config

import (
	"strconv"

	"github.com/sockmux/sockmux/server/session/limit"
)

// limitsSection is where the file has limits: at its top for everybody, in a policy for those who have that policy.
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

// limitsOf binds the limits of one client to l. The settings are flags, keys of the file's limits, and keys of the limits of each policy.
func limitsOf(l *limit.Limits) []setting {
	settings := []setting{
		{
			name: perClient, hint: "NUMBER",
			help:  "sessions at once of one client: an identity or, without identities, an IPv4 address or a /64 of IPv6; 0: any number; where others than this machine connect, a quarter of --max-sessions if it is not set",
			parse: integer(&l.Sessions, 0, mostSessions), print: printed(&l.Sessions, strconv.Itoa),
		},
		{
			name: "session-idle-timeout", hint: "TIME",
			help:  "after which a session without a socket is ended; 0: never",
			parse: duration(&l.SessionIdle, shortest, 30*longest, "never"), print: printed(&l.SessionIdle, brief),
		},
		{
			name: "session-lifetime", hint: "TIME",
			help:  "after which a session is ended, whatever it does; 0: never",
			parse: duration(&l.SessionLifetime, shortest, 30*longest, "never"), print: printed(&l.SessionLifetime, brief),
		},
		{
			name: "max-streams", hint: "NUMBER",
			help:  "sockets at once in one session",
			parse: integer(&l.Streams, 1, mostStreams), print: printed(&l.Streams, strconv.Itoa),
		},
		{
			name: "opens-per-second", hint: "NUMBER",
			help:  "sockets that one client may open in a second; after a pause ten times as many at once; 0: any number",
			parse: integer(&l.Opens, 0, mostOpens), print: printed(&l.Opens, strconv.Itoa),
		},
		{
			name: "bytes-per-second", hint: "SIZE",
			help:  "that all sockets of one client move together, both ways: 500k, 2M, 1MiB; the rest waits; 0: any number",
			parse: size(&l.BytesPerSecond, leastRate, mostBytes), print: printed(&l.BytesPerSecond, briefSize),
		},
		{
			name: "bytes-per-day", hint: "SIZE",
			help:  "that one client may move between midnight and midnight UTC, both ways; 0: any number",
			parse: size(&l.BytesPerDay, 1, mostBytes), print: printed(&l.BytesPerDay, briefSize),
		},
		{
			name: "dial-timeout", hint: "TIME",
			help:  "for resolving and connecting together",
			parse: duration(&l.DialTimeout, shortest, longestDial, ""), print: printed(&l.DialTimeout, brief),
		},
		{
			name: "idle-timeout", hint: "TIME",
			help:  "after which a socket without a byte in either direction is ended; 0: never",
			parse: duration(&l.StreamIdle, shortest, 30*longest, "never"), print: printed(&l.StreamIdle, brief),
		},
		{
			name: "stream-lifetime", hint: "TIME",
			help:  "after which a socket is ended, whatever it does; 0: never",
			parse: duration(&l.StreamLifetime, shortest, 30*longest, "never"), print: printed(&l.StreamLifetime, brief),
		},
	}
	for i := range settings {
		settings[i].group, settings[i].live = groupLimits, true
	}
	return settings
}
