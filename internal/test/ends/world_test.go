package ends_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(strings.Fields(role)))
	}
	flag.Parse()
	// Tests wait for slow ends far more than they compute.
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// seen is what one end has read of a stream.
type seen struct {
	bytes int64
	end   string // "EOF", "reset", or what else ended it
}

// data is the first n bytes of those that all tests send: no shift leaves them the same.
func data(n int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), n) }

// read reads to the end and compares with data.
func read(r io.Reader) seen {
	want, got, expected := data(1<<40), make([]byte, 32<<10), make([]byte, 32<<10)
	for total := int64(0); ; {
		n, err := r.Read(got)
		_, _ = io.ReadFull(want, expected[:n]) // data has no fault
		if !bytes.Equal(got[:n], expected[:n]) {
			return seen{total, "other bytes"}
		}
		total += int64(n)
		if err != nil {
			return seen{total, ending(err)}
		}
	}
}

// ending names why a read has ended.
func ending(err error) string {
	var code *wire.Error
	switch {
	case errors.Is(err, io.EOF):
		return "EOF"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.As(err, &code):
		return code.Code.String()
	}
	return err.Error()
}

// scene is one conversation: a server, a client with a session of its own, and a target.
type scene struct {
	*product.Server
	t      *testing.T
	client *client.Client
	proxy  *fault.Proxy
	target netip.AddrPort
	saw    chan seen // has what the target has seen
}

// path is what lies between client and server.
type path struct {
	name    string
	conduct fault.Conduct
	cuts    bool // connections are cut again and again
}

var paths = []path{
	{name: "direct"},
	{name: "slow", conduct: fault.Conduct{Delay: 20 * time.Millisecond, Piece: 1400}},
	{name: "cut", cuts: true},
}

// between is how many bytes pass between two cuts: so a slow machine has no more of them.
const between = 40_000

// newScene returns a scene with a target that is played by play, which may use the channel.
func newScene(t *testing.T, s *product.Server, by path, play func(*net.TCPConn) seen) *scene {
	t.Helper()
	sc := &scene{Server: s, t: t, saw: make(chan seen, 1)}
	sc.target = product.Target(t, func(conn *net.TCPConn) {
		sc.saw <- play(conn)
	})
	var err error
	if sc.proxy, err = fault.Listen(s.Addr()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sc.proxy.Close)
	sc.proxy.Set(by.conduct)
	sc.client = product.Dial(t, strings.Replace(s.ConnectURL(), s.Addr(), sc.proxy.Addr(), 1))
	return sc
}

// open opens the stream.
func (sc *scene) open() *mux.Stream {
	sc.t.Helper()
	return product.Open(sc.t, sc.client, sc.target)
}

// mostCuts is how often a path is cut: on a machine so busy that no acknowledgement comes
// between two cuts, a session would get nowhere.
const mostCuts = 12

// cut cuts the path again and again until stop is called, mostCuts times at most.
func (sc *scene) cut() (stop func()) {
	ctx, cancel := context.WithCancel(sc.t.Context())
	var cutting sync.WaitGroup
	cutting.Go(func() {
		tick := time.NewTicker(time.Millisecond) // polls a counter
		defer tick.Stop()
		for cuts, last := 0, int64(0); cuts < mostCuts; {
			select {
			case <-tick.C:
				if now := sc.proxy.Moved(); now >= last+between {
					last = now
					cuts++
					sc.proxy.Cut(fault.Reset)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		cutting.Wait()
	}
}

// targetSaw waits for what the target has seen.
func (sc *scene) targetSaw() seen {
	sc.t.Helper()
	select {
	case s := <-sc.saw:
		return s
	case <-time.After(patience):
		sc.t.Fatal("the target has seen no end")
		return seen{}
	}
}

// accessLine waits for the server's line about the stream and returns its code.
func (sc *scene) accessLine() string {
	sc.t.Helper()
	line := sc.WaitLog(fmt.Sprintf("%q:%q", "target", sc.target))
	var entry struct{ Msg, Code string }
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg != "stream" {
		sc.t.Fatalf("not a line of a stream: %v: %s", err, line)
	}
	return entry.Code
}

// send writes n bytes of data.
func (sc *scene) send(w io.Writer, n int64) {
	sc.t.Helper()
	if sent, err := io.Copy(w, data(n)); err != nil {
		sc.t.Fatalf("sent %d of %d bytes: %v", sent, n, err)
	}
}

// must fails the test if something that an end does fails.
func (sc *scene) must(err error) {
	sc.t.Helper()
	if err != nil {
		sc.t.Fatal(err)
	}
}

// wantSeen compares what an end has seen.
func wantSeen(t *testing.T, who string, got, want seen) {
	t.Helper()
	if got != want {
		t.Errorf("the %s saw %+v, want %+v", who, got, want)
	}
}
