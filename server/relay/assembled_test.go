package relay_test

import (
	"bytes"
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
