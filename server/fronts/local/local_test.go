package local_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var target = wire.Request{Kind: wire.TCP, Host: wire.ParseHost("example.org"), Port: 7}

func open(t *testing.T, handle func(context.Context, session.Stream)) *local.Tunnel {
	t.Helper()
	return local.Open(session.ForeignTerms{Handle: handle})
}

func stream(t *testing.T, tunnel *local.Tunnel) *local.Stream {
	t.Helper()
	s, err := tunnel.OpenStream(target)
	if err != nil {
		t.Fatal(err)
	}
	if result, err := s.Result(t.Context()); err != nil || result.Code != wire.OK {
		t.Fatalf("%+v, %v", result, err)
	}
	return s
}

// TestEcho carries bytes of many streams both ways.
func TestEcho(t *testing.T) {
	tunnel := open(t, func(_ context.Context, s session.Stream) {
		if s.Request() != target {
			t.Errorf("asked for %+v", s.Request())
		}
		_ = s.Reply(wire.Result{}) // fails only with the session
		b := make([]byte, 64<<10)
		for {
			n, err := s.Read(b)
			if n > 0 {
				_ = s.Fill(func(to []byte) int { // what it lacks the test sees
					m := copy(to, b[:n])
					b, n = b[m:], n-m
					return m
				})
				if n > 0 {
					_, _ = s.Write(b[:n]) // likewise
				}
				b = make([]byte, 64<<10)
			}
			if err != nil {
				_ = s.CloseWrite() // likewise
				return
			}
		}
	})
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			s := stream(t, tunnel)
			want := make([]byte, 700_001)
			rand.NewChaCha8([32]byte{byte(i)}).Read(want)
			go func() { // ends with its Write
				if _, err := s.Write(want); err != nil {
					t.Error(err)
				}
				_ = s.CloseWrite() // the test sees what it lacks
			}()
			if got, err := io.ReadAll(s); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	tunnel.Close()
	if s, err := tunnel.OpenStream(target); err == nil {
		t.Errorf("a stream behind the end: %v", s)
	}
}

// TestFinish delivers what was written, and resets what was not written whole.
func TestFinish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type end struct {
			n     int
			err   error
			clean bool
		}
		ends := make(chan end, 2)
		release := make(chan struct{})
		tunnel := open(t, func(_ context.Context, s session.Stream) {
			_ = s.Reply(wire.Result{}) // fails only with the session
			<-release
			b, err := io.ReadAll(s)
			ends <- end{len(b), err, s.ClosedCleanly()}
			_ = s.Close() // it has ended
		})
		whole, part := stream(t, tunnel), stream(t, tunnel)
		if _, err := whole.Write(make([]byte, 50_000)); err != nil {
			t.Fatal(err)
		}
		wrote := make(chan error, 1)
		go func() {
			_, err := part.Write(make([]byte, 8<<20))
			wrote <- err
		}()
		synctest.Wait()
		tunnel.Finish()
		close(release)
		tunnel.Close()
		if err := <-wrote; err == nil {
			t.Error("the Write under way has succeeded")
		}
		for range 2 {
			switch e := <-ends; {
			case e.n == 50_000 && e.err == nil:
			case e.n != 50_000 && errors.Is(e.err, wire.NewError(wire.Aborted, "")):
			default:
				t.Errorf("%+v", e)
			}
		}
	})
}

// TestFail ends every stream with its code, and nothing is delivered behind it.
func TestFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		served := make(chan error, 1)
		tunnel := open(t, func(ctx context.Context, s session.Stream) {
			_ = s.Reply(wire.Result{}) // fails only with the session
			_, err := io.ReadAll(s)
			if s.ClosedCleanly() {
				t.Error("it looks like a clean close")
			}
			served <- err
			_ = s.Close() // it has ended
		})
		s := stream(t, tunnel)
		synctest.Wait()
		why := wire.NewError(wire.Limit, "it is enough")
		tunnel.Fail(why)
		tunnel.Fail(wire.NewError(wire.Internal, "the first stays"))
		if _, err := s.Read(make([]byte, 1)); local.CodeOf(err) != wire.Limit {
			t.Errorf("the front reads %v", err)
		}
		if err := <-served; !errors.Is(err, why) {
			t.Errorf("the relay reads %v", err)
		}
		tunnel.Close()
	})
}
