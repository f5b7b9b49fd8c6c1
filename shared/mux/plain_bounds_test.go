package mux_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/mux/muxtest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestPlainRefusal bounds the life of a refused stream whose client never ends its
// direction. What it sends meanwhile is dropped.
func TestPlainRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &watched{deaf: newDeaf()}
		resets := make(chan time.Time, 2)
		conn.frame = func(_ byte, flags uint16, _ uint32) {
			if flags&rst != 0 {
				resets <- time.Now()
			}
		}
		s, err := mux.PlainServer(muxtest.New(conn), mux.Config{}, func(_ context.Context, s *mux.Stream) {
			_ = s.Reply(wire.Result{Code: wire.Denied, Text: "no"})
			_ = s.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		began := time.Now()
		// The second is ended by its client in time.
		if _, err := conn.feed.Write(append(request(t, 1, target), request(t, 3, target)...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		if _, err := conn.feed.Write(append(frame(data, 0, 1, 2, 'h', 'i'), frame(update, fin, 3, 0)...)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := s.Streams(); n != 1 || len(resets) != 0 {
			t.Errorf("%d streams are left and %d are reset within 30 s, want 1 and 0", n, len(resets))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := s.Streams(); n != 0 || len(resets) != 1 {
			t.Fatalf("%d streams are left and %d are reset after 30 s, want 0 and 1", n, len(resets))
		}
		if took := (<-resets).Sub(began); took < 30*time.Second {
			t.Errorf("reset after %s", took)
		}
	})
}

// TestPlainRequestTimeout refuses streams whose request does not come, and the session
// goes on.
func TestPlainRequestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &watched{deaf: newDeaf()}
		answers := make(chan uint32, 10)
		conn.frame = func(kind byte, _ uint16, id uint32) {
			if kind == data {
				answers <- id
			}
		}
		s, err := mux.PlainServer(muxtest.New(conn), mux.Config{}, accepted(t, func(s *mux.Stream) { _ = s.Close() }))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		// One sends nothing, the other half of its request.
		whole := request(t, 3, target)
		if _, err := conn.feed.Write(append(frame(update, syn, 1, 0), whole[:12]...)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.feed.Write(frame(data, 0, 3, 5, whole[24:29]...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(29 * time.Second)
		synctest.Wait()
		if len(answers) > 0 {
			t.Errorf("stream %d was answered before the time was over", <-answers)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(answers) != 2 {
			t.Errorf("%d streams were refused, want 2", len(answers))
		}
		if _, err := conn.feed.Write(request(t, 5, target)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(answers) != 3 {
			t.Error("the session does not go on")
		}
	})
}

// TestPlainBacklog refuses streams that are not accepted with RST, and the session goes
// on.
func TestPlainBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, all = 4, 1000
		release := make(chan struct{})
		rejected := make(map[uint32]bool)
		conn := &watched{deaf: newDeaf(), frame: func(kind byte, flags uint16, id uint32) {
			if flags&rst != 0 {
				rejected[id] = true
			}
		}}
		s, err := mux.PlainServer(muxtest.New(conn), mux.Config{MaxStreams: func() int { return most }}, accepted(t, func(s *mux.Stream) {
			<-release
			_ = s.Close()
		}))
		if err != nil {
			t.Fatal(err)
		}
		for id := uint32(1); id < 2*all; id += 2 {
			if _, err := conn.feed.Write(request(t, id, target)); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		const kept = most + 256 // served, and in the backlog
		if n := len(rejected); n != all-kept || rejected[1] {
			t.Errorf("%d streams were refused of %d, %d may wait", n, all, kept)
		}
		close(release)
		s.Close()
	})
}

// watched is a deaf stream that reports the frames that are written to it.
type watched struct {
	*deaf
	frame func(kind byte, flags uint16, id uint32)
	rest  []byte
}

func (w *watched) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for len(w.rest) >= 12 {
		h := w.rest[:12]
		length := 0
		if h[1] == data {
			length = int(h[8])<<24 | int(h[9])<<16 | int(h[10])<<8 | int(h[11])
		}
		if len(w.rest) < 12+length {
			break
		}
		w.frame(h[1], uint16(h[2])<<8|uint16(h[3]), uint32(h[4])<<24|uint32(h[5])<<16|uint32(h[6])<<8|uint32(h[7]))
		w.rest = w.rest[12+length:]
	}
	return len(b), nil
}

// TestPlainRejectionsAreBounded ends the session of a client that opens streams without
// end and reads no refusal.
func TestPlainRejectionsAreBounded(t *testing.T) {
	conn := newDeaf()
	under := muxtest.New(conn)
	s, err := mux.PlainServer(under, mux.Config{MaxStreams: func() int { return 1 }}, func(context.Context, *mux.Stream) {})
	if err != nil {
		t.Fatal(err)
	}
	for id := uint32(1); id < 1<<20; id += 2 {
		if _, err = conn.feed.Write(frame(update, syn, id, 0)); err != nil {
			break
		}
	}
	<-s.Done()
	if err := s.Err(); !isCode(err, wire.Protocol) || !strings.Contains(err.Error(), "streams wait") {
		t.Errorf("%v, want protocol", err)
	}
	s.Close()
}
