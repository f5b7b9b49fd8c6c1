package listener

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// acceptQuiet is how long the log says nothing more of failing accepts after a line.
const acceptQuiet = time.Minute

// Reporting is a listener that tells why connections cannot be accepted. http.Server tries
// again by itself, but says so only where debug lines are wanted.
type Reporting struct {
	net.Listener
	logger  *slog.Logger
	relieve func() bool

	mu     sync.Mutex
	said   time.Time // the last line
	failed int       // since then
}

// Report returns a listener that logs a warning, at most once in acceptQuiet, when l cannot
// accept a connection. relieve is called then: it may end a connection that is not needed, so
// that there is a descriptor for the next.
func Report(l net.Listener, logger *slog.Logger, relieve func() bool) *Reporting {
	return &Reporting{Listener: l, logger: logger, relieve: relieve}
}

// Accept implements net.Listener.
func (r *Reporting) Accept() (net.Conn, error) {
	conn, err := r.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		r.report(err, time.Now())
		r.relieve()
	}
	return conn, err
}

func (r *Reporting) report(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed++
	if !r.said.IsZero() && now.Sub(r.said) < acceptQuiet {
		return
	}
	r.logger.Warn("connections cannot be accepted: if files are too many, raise the limit of descriptors "+
		"(LimitNOFILE=, ulimit -n) or lower --max-sessions", "failed", r.failed, "error", err)
	r.said, r.failed = now, 0
}
