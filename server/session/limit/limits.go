// Package limit counts what clients take and says when it is enough.
//
// Limits are what one client may have. Counters hold a Client for each client: the
// sessions with the same identity, or without identities the same network. What is beyond
// a limit is refused with a *wire.Error that names the limit, and counted by its Reason;
// only bytes per second are no refusal: they wait.
package limit

import "time"

// Limits are what holds for one client. In every field 0 stands for no limit.
type Limits struct {
	Sessions  int // at once of one client
	Streams   int // at once in one session
	Listeners int // likewise
	Opens     int // streams that one client may begin in a second; after a pause burstSeconds times as many at once

	BytesPerSecond int64 // both directions of all streams of one client together
	BytesPerDay    int64 // likewise, between midnight and midnight UTC

	SessionIdle     time.Duration // of a session without a stream
	SessionLifetime time.Duration
	StreamIdle      time.Duration // of a stream without a byte
	StreamLifetime  time.Duration
	DialTimeout     time.Duration // resolving and dialing together; 0: the relay's default
}

// DeadAfter is how many keepalive intervals of silence make a connection dead.
const DeadAfter = 2

// Reason names a limit in metrics and logs. There are few, so that they fit into the
// label of a metric.
type Reason string

// The reasons of refusals.
const (
	Sessions          Reason = "sessions" // in all
	SessionsPerClient Reason = "sessions_per_client"
	ParkedSessions    Reason = "parked_sessions" // a session ended because no more may wait for their clients
	Streams           Reason = "streams"         // in one session
	Listeners         Reason = "listeners"       // likewise
	Opens             Reason = "opens_per_second"
	BytesPerDay       Reason = "bytes_per_day"
	Clients           Reason = "clients" // that Counters remember
	SessionIdle       Reason = "session_idle"
	SessionLifetime   Reason = "session_lifetime"
	StreamIdle        Reason = "stream_idle"
	StreamLifetime    Reason = "stream_lifetime"
	Handshake         Reason = "handshake_timeout"
	MessageSize       Reason = "message_size"
	Memory            Reason = "memory"                // of the session, or of all
	Descriptors       Reason = "descriptors"           // that streams take
	Unauthorized      Reason = "unauthorized"          // no credentials, or wrong ones
	Expired           Reason = "expired"               // credentials that have run out or were revoked
	Unchecked         Reason = "credentials_unchecked" // the server could not check them
)

// Reasons lists all of them, so that metrics can show those that have not occurred.
func Reasons() []Reason {
	return []Reason{
		Sessions, SessionsPerClient, ParkedSessions, Streams, Listeners, Opens, BytesPerDay, Clients,
		SessionIdle, SessionLifetime, StreamIdle, StreamLifetime, Handshake, MessageSize, Memory, Descriptors, Unauthorized, Expired, Unchecked,
	}
}
