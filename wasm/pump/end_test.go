package pump_test

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/pump"
)

// answerLate returns a handler that answers once the stream's end has come, and what it then
// says of the stream.
func answerLate(result wire.Result) (handle func(*mux.Stream), got chan string) {
	got = make(chan string, 1)
	return func(s *mux.Stream) {
		b, err := io.ReadAll(s)
		if err != nil {
			b = []byte(err.Error())
		}
		_ = s.Reply(result) // fails with the session
		_ = s.Close()
		got <- string(b)
	}, got
}

// TestClosedBeforeTheAnswer: a page that closes before the answer has its bytes delivered, and
// the stream ends as the answer says.
func TestClosedBeforeTheAnswer(t *testing.T) {
	for _, result := range []wire.Result{{}, {Code: wire.Refused, Text: "nothing listens"}} {
		for _, optimistic := range []bool{false, true} {
			handle, got := answerLate(result)
			p := newPage(t, handle)
			r := request
			r.Optimistic = optimistic
			p.pump.Open(1, r)
			p.write(1, []byte("all of it"))
			p.pump.Stop(1)
			p.pump.CloseWrite(1)
			if s := <-got; s != "all of it" {
				t.Errorf("the server got %q", s)
			}
			if _, _, _, end := p.until(1); end.A != uint32(result.Code) || string(end.Data) != result.Text {
				t.Errorf("end: %d %q, the answer was %v", end.A, end.Data, result)
			}
		}
	}
}

// TestAbandon: an upload that is cut is reset, and one that is complete is not.
func TestAbandon(t *testing.T) {
	for _, c := range []struct {
		name  string
		bytes int
		cut   bool
	}{{"all taken", 50_000, false}, {"more than the window", 2_000_000, true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				type end struct {
					n   int64
					err error
				}
				read := make(chan struct{})
				got := make(chan end, 1)
				p := newPage(t, func(s *mux.Stream) {
					if ok(s) {
						<-read
						n, err := io.Copy(io.Discard, s)
						got <- end{n, err}
					}
					_ = s.Close()
				})
				p.pump.Open(1, request)
				p.next()
				p.write(1, make([]byte, c.bytes))
				p.pump.CloseWrite(1)
				synctest.Wait()
				p.pump.Abandon()
				close(read)
				e := <-got
				var reset *wire.Error
				switch {
				case !c.cut && (e.err != nil || e.n != int64(c.bytes)):
					t.Errorf("%d bytes, then %v", e.n, e.err)
				case c.cut && (!errors.As(e.err, &reset) || reset.Code != wire.Aborted):
					t.Errorf("%d bytes, then %v", e.n, e.err)
				}
			})
		})
	}
}

// TestNotices: what a server says to people waits in bounded number, and the rest is counted.
func TestNotices(t *testing.T) {
	const sent = 300_000
	p := newPage(t, echo)
	for range sent {
		p.pump.TellNotice(wire.Info, wire.OK, "hello")
	}
	var texts []string
	for {
		e, more := p.pump.Next()
		if !more {
			break
		}
		if e.Kind == pump.Notice {
			texts = append(texts, string(e.Data))
		}
	}
	if n := len(texts); n > 100 || texts[n-1] != "299968 more notices came than the page could take" {
		t.Errorf("%d notices, the last %q", n, texts[n-1])
	}
}
