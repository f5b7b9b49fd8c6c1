package ends_test

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// late is after how long an end begins to read: the other one has done all that it does.
const late = 500 * time.Millisecond

// Receive buffers of targets that read late, so that most of what they have not read stays
// with the server. Linux fills the smaller one at 40 kB/s on loopback, where a segment does
// not fit it: such a target is slow as well.
const (
	smallBuffer = 16 << 10
	slowBuffer  = 4 << 10
)

// readsLate returns a target that reads to the end after a while.
func readsLate(buffer int, after time.Duration) func(*net.TCPConn) seen {
	return func(conn *net.TCPConn) seen {
		_ = conn.SetReadBuffer(buffer) // fails only where the connection has ended
		time.Sleep(after)              // the target's own pace
		return read(conn)
	}
}

// Targets.
var (
	lateReader = readsLate(smallBuffer, late)
	// reader reads to the end.
	reader = func(conn *net.TCPConn) seen { return read(conn) }
	// sender sends, ends its direction, and reads to the end.
	sender = func(conn *net.TCPConn) seen {
		if _, err := io.Copy(conn, data(moved)); err != nil {
			return seen{end: "write: " + ending(err)}
		}
		if err := conn.CloseWrite(); err != nil {
			return seen{end: "half-close: " + ending(err)}
		}
		return read(conn)
	}
	// answerer reads to the end, and answers then.
	answerer = func(conn *net.TCPConn) seen {
		s := read(conn)
		if _, err := io.Copy(conn, data(moved)); err != nil {
			return seen{end: "answer: " + ending(err)}
		}
		return s
	}
	// resetter reads a byte and resets the connection.
	resetter = func(conn *net.TCPConn) seen {
		n, err := conn.Read(make([]byte, 1))
		if err != nil {
			return seen{end: ending(err)}
		}
		_ = conn.SetLinger(0) // so that closing it resets
		return seen{int64(n), "closed"}
	}
)

// moved is what is sent where nothing else is said: more than a window and the system's
// buffers of a target that does not read.
const moved = 400_000

// way is a way to end.
type way struct {
	name   string
	target func(*net.TCPConn) seen
	client func(sc *scene)
	want   seen   // by the target
	code   string // of the access line; "": any
	closes bool   // the client closes its session: a cut then would be another case
}

// streams are the ways of a stream in a session that goes on.
var streams = []way{
	{
		name: "the client ends its direction and gets the answer", target: answerer,
		client: func(sc *scene) {
			s := sc.open()
			sc.send(s, moved)
			sc.must(s.CloseWrite())
			wantSeen(sc.t, "client", read(s), seen{moved, "EOF"})
		},
		want: seen{moved, "EOF"}, code: "ok",
	},
	{
		name: "the target ends its direction first", target: sender,
		client: func(sc *scene) {
			s := sc.open()
			wantSeen(sc.t, "client", read(s), seen{moved, "EOF"})
			sc.send(s, moved)
			sc.must(s.Close())
		},
		want: seen{moved, "EOF"}, code: "ok",
	},
	{
		name: "a FIN behind data that is read late", target: lateReader,
		client: func(sc *scene) {
			s := sc.open()
			sc.send(s, moved)
			sc.must(s.Close())
		},
		want: seen{moved, "EOF"}, code: "ok",
	},
	{
		name: "the client reads late", target: sender,
		client: func(sc *scene) {
			s := sc.open()
			sc.must(s.CloseWrite())
			time.Sleep(late) // the client's own pace
			wantSeen(sc.t, "client", read(s), seen{moved, "EOF"})
		},
		want: seen{0, "EOF"}, code: "ok",
	},
	{
		name: "the client resets", target: reader,
		client: func(sc *scene) {
			s := sc.open()
			sc.send(s, 1000)
			sc.must(s.Reset(wire.Aborted, "enough"))
		},
		want: seen{1000, "reset"}, code: "aborted",
	},
	{
		name: "the target resets", target: resetter,
		client: func(sc *scene) {
			s := sc.open()
			sc.send(s, 1)
			wantSeen(sc.t, "client", read(s), seen{0, "reset"})
			sc.must(s.Close())
		},
		want: seen{1, "closed"}, code: "reset",
	},
}

func TestStreams(t *testing.T) { each(t, streams) }

// each tries each way over each path.
func each(t *testing.T, ways []way) {
	t.Helper()
	server := product.Start(t, "--allow", "127.0.0.1", "--keepalive", "1s")
	for _, by := range paths {
		for _, test := range ways {
			if by.cuts && test.closes {
				continue
			}
			t.Run(by.name+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				sc := newScene(t, server, by, test.target)
				if by.cuts {
					product.Open(t, sc.client, product.Echo(t)) // the session is there before the first cut
					stop := sc.cut()
					defer stop()
				}
				test.client(sc)
				got := sc.targetSaw()
				if test.want.bytes < 0 {
					got.bytes = test.want.bytes // any number
				}
				wantSeen(t, "target", got, test.want)
				if code := sc.accessLine(); test.code != "" && code != test.code {
					t.Errorf("the access line has the code %q, want %q", code, test.code)
				}
			})
		}
	}
}
