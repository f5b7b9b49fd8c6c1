package client_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/wire"
)

// codes are all of the protocol.
func codes() (all []wire.Code) {
	for code := wire.Code(0); code.Known(); code++ {
		all = append(all, code)
	}
	return all
}

// final reads the table of docs/RELIABILITY.md: the codes of a CLOSE that end a session that
// is being resumed. A code that has no row does not.
func final(t *testing.T) map[string]bool {
	t.Helper()
	content, err := os.ReadFile("../../docs/RELIABILITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "<!-- closes -->")
	table, _, found := strings.Cut(rest, "<!-- /closes -->")
	if !found {
		t.Fatal("docs/RELIABILITY.md has no table of CLOSE")
	}
	ends := make(map[string]bool)
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) == 6 && strings.Contains(cells[1], "`") {
			ends[strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[4]) == "ends it"
		}
	}
	return ends
}

// keeps accepts new sessions and resumes, as a server that has every session.
func (s *server) keeps(h wire.Hello) wire.Message {
	if h.Resume == nil {
		return welcome(h)
	}
	s.mu.Lock()
	received := s.link.Received()
	s.mu.Unlock()
	return wire.Welcome{Version: wire.Version, Capabilities: wire.CanResume, Resumed: &received, Grace: grace}
}

// begin opens a stream over a new session.
func begin(t *testing.T, c *client.Client) io.Reader {
	t.Helper()
	stream, err := c.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return stream
}

// TestCloseInsteadOfResume answers a resume with CLOSE, once, for every code: only those end
// the session that say that it cannot be resumed.
func TestCloseInsteadOfResume(t *testing.T) {
	ends := final(t)
	if len(ends) < 10 {
		t.Errorf("docs/RELIABILITY.md has %d codes", len(ends))
	}
	for _, code := range codes() {
		t.Run(code.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{t: t}
				s.set(welcome)
				c := client.New(client.Config{Dial: s.dial})
				stream := begin(t, c)
				refused := 0
				s.set(func(h wire.Hello) wire.Message {
					if refused++; refused > 1 {
						return s.keeps(h)
					}
					return wire.Close{Code: code, Text: "by the test"}
				})
				s.last.Cut()
				time.Sleep(time.Minute) // of the bubble's clock: within the grace period
				if state := c.State(); ends[code.String()] {
					if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, wire.NewError(code, "")) {
						t.Errorf("the stream ends with %v", err)
					}
				} else if state.Phase != client.Open {
					t.Errorf("the session is %+v", state)
				}
				c.Close()
				s.close()
			})
		})
	}
}

// TestNonsenseInsteadOfResume: what no server says is a failed attempt, not the session's end.
func TestNonsenseInsteadOfResume(t *testing.T) {
	far := uint64(1 << 40)
	for name, answer := range map[string]wire.Message{
		"ping":                      wire.Ping{},
		"a new session":             wire.Welcome{Version: wire.Version, Session: &wire.Session{}},
		"bytes that were not sent":  wire.Welcome{Version: wire.Version, Resumed: &far},
		"silence":                   nil,
		"a message that is cut off": cutOff{},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{t: t}
				s.set(welcome)
				c := client.New(client.Config{Dial: s.dial})
				begin(t, c)
				var answers atomic.Int32
				s.set(func(h wire.Hello) wire.Message {
					if answers.Add(1) > 2 {
						return s.keeps(h)
					}
					return answer
				})
				s.last.Cut()
				time.Sleep(time.Minute) // of the bubble's clock
				if state := c.State(); state.Phase != client.Open {
					t.Errorf("the session is %+v", state)
				}
				c.Close()
				s.close()
			})
		})
	}
}

// cutOff is a WELCOME of which a proxy has passed the first half.
type cutOff struct{ wire.Message }

// Append implements wire.Message.
func (cutOff) Append(b []byte) []byte { return append(b, byte(wire.TypeWelcome), 0) }

// phases keeps the phases that a client tells, and the last reason.
type phases struct {
	mu  sync.Mutex
	all []client.Phase
}

func (p *phases) add(s client.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all = append(p.all, s.Phase)
}

// TestAnswersHeldBack: a path passes the server's messages only when the carrier ends. A
// session that never had a round trip ends with one error; it is not resumed on and on.
func TestAnswersHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, seen := &server{t: t}, new(phases)
		s.holdBack = 2 * time.Second
		s.set(func(h wire.Hello) wire.Message {
			if h.Resume == nil {
				return welcome(h)
			}
			return wire.Welcome{Version: wire.Version, Capabilities: wire.CanResume, Resumed: new(uint64), Grace: grace}
		})
		c := client.New(client.Config{Dial: s.dial, OnState: seen.add})
		began := time.Now()
		e := end(t, c)
		if e.Code != wire.NotConnected || !strings.Contains(e.Text, "proxy") {
			t.Errorf("the stream ends with %v", e)
		}
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it ends after %s", took)
		}
		synctest.Wait()
		opens := 0
		for _, phase := range seen.all {
			if phase == client.Open {
				opens++
			}
		}
		if opens > 1 || c.State().Phase != client.Closed {
			t.Errorf("phases %v", seen.all)
		}
		c.Close()
		s.close()
	})
}

// TestNoWelcome: the first carrier of a session is given up in time.
func TestNoWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{t: t}
		s.set(func(wire.Hello) wire.Message { return nil })
		c := client.New(client.Config{Dial: s.dial})
		began := time.Now()
		e := end(t, c)
		if took := time.Since(began); took != 15*time.Second || e.Code != wire.NotConnected || !strings.Contains(e.Text, "proxy") {
			t.Errorf("after %s: %v", took, e)
		}
		c.Close()
		s.close()
	})
}
