package sockmux

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// inboxBytes is how many bytes of datagrams wait for Read, at most. What comes meanwhile waits
	// at the server, which drops the rest.
	inboxBytes = 256 << 10
	// maxReported is of how many peers a report is kept. Another one replaces any.
	maxReported = 64
)

// arrived is a datagram that waits for Read.
type arrived struct {
	from    datagram.Peer
	payload []byte
}

// datagramInbox takes the records of a stream apart: datagrams wait for Read, and reports for
// whatever call comes next.
type datagramInbox struct {
	from      stream
	connected bool
	decoder   datagram.Decoder // of run

	mu       sync.Mutex
	change   sync.Cond
	waiting  []arrived
	bytes    int // of waiting, heads included
	report   error
	reports  map[datagram.Peer]error
	failed   error // why no more comes
	deadline deadline.Deadline
}

func (in *datagramInbox) init(from stream, connected bool) {
	in.from, in.connected = from, connected
	in.reports = make(map[datagram.Peer]error)
	in.change.L = &in.mu
}

// run reads the stream to its end.
func (in *datagramInbox) run() {
	b := make([]byte, 16<<10)
	for {
		n, err := in.from.Read(b)
		in.mu.Lock()
		if malformed := in.decoder.Decode(b[:n], in.takeLocked); malformed != nil {
			err = malformed
		}
		if errors.Is(err, io.EOF) {
			err = wire.NewError(wire.Reset, "the server has closed the socket")
		}
		if err != nil && in.failed == nil {
			in.failed = err
		}
		in.change.Broadcast()
		for in.failed == nil && in.bytes >= inboxBytes {
			in.change.Wait()
		}
		over := in.failed != nil
		in.mu.Unlock()
		if over {
			return
		}
	}
}

func (in *datagramInbox) takeLocked(r datagram.Record) {
	if r.Code == wire.OK {
		in.waiting = append(in.waiting, arrived{r.Peer, append([]byte(nil), r.Payload...)})
		in.bytes += len(r.Payload) + datagram.MaxHead
		return
	}
	err := wire.NewError(r.Code, string(r.Payload))
	if in.connected {
		in.report = err
		return
	}
	if len(in.reports) >= maxReported {
		for any := range in.reports {
			delete(in.reports, any)
			break
		}
	}
	in.reports[r.Peer] = err
}

// read returns the next datagram. On a connected socket a report comes before it.
func (in *datagramInbox) read(b []byte) (int, datagram.Peer, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for {
		switch {
		case errors.Is(in.failed, net.ErrClosed):
			return 0, datagram.Peer{}, net.ErrClosed
		case in.deadline.Passed():
			return 0, datagram.Peer{}, os.ErrDeadlineExceeded
		case in.report != nil:
			err := in.report
			in.report = nil
			return 0, datagram.Peer{}, err
		case len(in.waiting) > 0:
			next := in.waiting[0]
			in.waiting[0] = arrived{}
			in.waiting = in.waiting[1:]
			in.bytes -= len(next.payload) + datagram.MaxHead
			in.change.Broadcast()
			return copy(b, next.payload), next.from, nil
		case in.failed != nil:
			return 0, datagram.Peer{}, in.failed
		}
		in.change.Wait()
	}
}

// reported takes the report about earlier datagrams to a peer, or returns why the socket has
// ended; nil: there is none, and it has not.
func (in *datagramInbox) reported(to datagram.Peer) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.report; err != nil {
		in.report = nil
		return err
	}
	if err, ok := in.reports[to]; ok {
		delete(in.reports, to)
		return err
	}
	return in.failed
}

// close ends every read.
func (in *datagramInbox) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.failed = net.ErrClosed
	in.waiting, in.bytes = nil, 0
	in.deadline.Set(time.Time{}, &in.mu, in.change.Broadcast)
	in.change.Broadcast()
}

func (in *datagramInbox) setDeadline(t time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.deadline.Set(t, &in.mu, in.change.Broadcast)
}
