package relay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// received is what a target has read to its end.
type received struct {
	data []byte
	err  error // nil: it ended with a FIN
}

// late starts a target that has little room and reads after a delay, to the end.
func late(t *testing.T, delay time.Duration) (netip.AddrPort, <-chan received) {
	t.Helper()
	got := make(chan received, 64)
	return product.Target(t, func(conn *net.TCPConn) {
		_ = conn.SetReadBuffer(4 << 10)
		time.Sleep(delay) // this is the target's nature, and nothing waits for it
		data, err := io.ReadAll(conn)
		got <- received{data, err}
	}), got
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

// want fails unless the target gets data and then its end.
func want(t *testing.T, got <-chan received, data []byte) {
	t.Helper()
	select {
	case r := <-got:
		if r.err != nil || !bytes.Equal(r.data, data) {
			t.Errorf("the target read %d bytes, then %v; want %d and the end", len(r.data), r.err, len(data))
		}
	case <-time.After(2 * time.Minute):
		t.Error("the target has no end")
	}
}

// line waits for the access line of the only stream to a target, and fails unless it has the
// code.
func line(t *testing.T, s *product.Server, target netip.AddrPort, code string) {
	t.Helper()
	text := s.WaitLog(`"target":"` + target.String() + `"`)
	if !strings.Contains(text, `"code":"`+code+`"`) {
		t.Errorf("access line %s; want code %s", text, code)
	}
}

// A client that closes its session leaves nothing behind: the target gets every byte that was
// written, then the end, however late it reads.
func TestSessionCloseDeliversEverything(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	for _, n := range []int{50_000, 200_000, 400_000} {
		for _, delay := range []time.Duration{0, 500 * time.Millisecond, 1500 * time.Millisecond} {
			t.Run(fmt.Sprint(n, " bytes, ", delay), func(t *testing.T) {
				t.Parallel()
				target, got := late(t, delay)
				c := s.Dial(t)
				stream := product.Open(t, c, target)
				data := pattern(n)
				if _, err := stream.Write(data); err != nil {
					t.Fatal(err)
				}
				c.Close()
				want(t, got, data)
				line(t, s, target, "ok")
			})
		}
	}
}

// A stream that is closed before the server has answered delivers what was written, as
// close(2) does.
func TestCloseBeforeTheAnswerDeliversEverything(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	for _, closeClient := range []bool{false, true} {
		t.Run(fmt.Sprintf("client closed too: %v", closeClient), func(t *testing.T) {
			target, got := late(t, 0)
			const runs = 20
			data := pattern(30_000)
			for range runs {
				c := s.Dial(t)
				stream, err := c.Open(product.Request(target))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := stream.Write(data); err != nil {
					t.Fatal(err)
				}
				if err := stream.Close(); err != nil {
					t.Fatal(err)
				}
				if closeClient {
					c.Close()
				}
				want(t, got, data)
			}
		})
	}
	for _, text := range s.Log() {
		if strings.Contains(text, `"msg":"stream"`) && !strings.Contains(text, `"code":"ok"`) {
			t.Errorf("access line %s", text)
		}
	}
}

// A stream that is closed at once and carries nothing is no failure of the server.
func TestCloseAtOnceMakesNoNoise(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1", "--dial-timeout", "60s")
	c := s.Dial(t)
	target, _ := late(t, 0)
	for range 20 {
		stream, err := c.Open(product.Request(target))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Close(); err != nil {
			t.Fatal(err)
		}
	}
	product.Open(t, c, product.Echo(t)).Close() // behind the others
	c.Close()
	s.WaitLog(`"msg":"session ended"`)
	for _, text := range s.Log() {
		if strings.Contains(text, "internal") || strings.Contains(text, `"level":"WARN"`) || strings.Contains(text, `"level":"ERROR"`) {
			t.Errorf("line %s", text)
		}
	}
}

// An upload that the client cuts is a reset for the target, not an end.
func TestCutUploadIsAReset(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	target, got := late(t, 0)
	for range 20 {
		c := s.Dial(t)
		stream := product.Open(t, c, target)
		if _, err := stream.Write(pattern(50_000)); err != nil {
			t.Fatal(err)
		}
		if err := stream.Reset(wire.Aborted, "cut"); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if r := <-got; !errors.Is(r.err, syscall.ECONNRESET) {
			t.Errorf("the target read %d bytes, then %v; want a reset", len(r.data), r.err)
		}
	}
}

// A client of an older version closes its session without ending its streams first. They deliver
// what was written all the same.
func TestOlderClientsCloseDeliversEverything(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	for _, delay := range []time.Duration{0, 500 * time.Millisecond} {
		target, got := late(t, delay)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c, err := product.Transport(s.ConnectURL())(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(ctx, wire.Hello{Version: wire.Version}.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Receive(ctx); err != nil { // the welcome
			t.Fatal(err)
		}
		l := link.New(link.Config{})
		ran := make(chan struct{})
		go func() { // awaited below
			defer close(ran)
			_ = l.Run(ctx, c, 0) // it ends with the link
		}()
		session, err := mux.Client(l, mux.Config{})
		if err != nil {
			t.Fatal(err)
		}
		stream, err := session.Open(product.Request(target))
		if err != nil {
			t.Fatal(err)
		}
		if result, err := stream.Result(ctx); err != nil || result.Code != wire.OK {
			t.Fatalf("%+v, %v", result, err)
		}
		data := pattern(50_000)
		if _, err := stream.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := l.Shutdown(ctx, wire.OK, ""); err != nil { // CLOSE, and no FIN
			t.Fatal(err)
		}
		<-ran
		session.Close()
		want(t, got, data)
		line(t, s, target, "ok")
	}
}

// A server that drains goes on to deliver what sessions left behind that were closed, and a second
// signal ends that too.
func TestDrainDeliversWhatClosedSessionsLeft(t *testing.T) {
	for signals := 1; signals <= 2; signals++ {
		t.Run(fmt.Sprint(signals, " signals"), func(t *testing.T) {
			s := product.Start(t, "--allow", "127.0.0.1", "--drain-timeout", "2m")
			read := make(chan struct{})
			got := make(chan received, 1)
			target := product.Target(t, func(conn *net.TCPConn) {
				_ = conn.SetReadBuffer(4 << 10)
				<-read
				data, err := io.ReadAll(conn)
				got <- received{data, err}
			})
			c := s.Dial(t)
			stream := product.Open(t, c, target)
			data := pattern(300_000) // more than the kernels hold of it
			if _, err := stream.Write(data); err != nil {
				t.Fatal(err)
			}
			c.Close()
			s.WaitLog(`"msg":"session opened"`)
			s.Signal(syscall.SIGTERM)
			s.WaitLog(`"msg":"draining"`)
			if signals == 2 {
				s.Signal(syscall.SIGTERM)
				if code := s.Wait(); code != 0 {
					t.Errorf("exit code %d", code)
				}
				close(read)
				<-got
				return
			}
			close(read)
			want(t, got, data)
			if code := s.Wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}
