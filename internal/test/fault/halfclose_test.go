package fault_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/fault"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
)

// TestCutDuringHalfClose: the carrier goes while a FIN is under way in one direction and
// bytes in the other.
func TestCutDuringHalfClose(t *testing.T) {
	rounds := scaled(60, 1000)
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	c, states := w.client()
	var moved atomic.Int64
	r := rand.New(rand.NewPCG(1, 1))
	for i := range rounds {
		from := states.count()
		s := product.Open(t, c, target)
		if _, err := io.WriteString(s, "echo\n"); err != nil {
			t.Fatal(err)
		}
		n := int64(1 + r.IntN(200_000))
		var write sync.WaitGroup
		pause := time.Duration(r.IntN(2000)) * time.Microsecond
		write.Go(func() {
			if _, err := io.CopyN(s, noise(uint64(i)), n); err != nil {
				t.Errorf("round %d: write: %v", i, err)
			}
			if err := s.CloseWrite(); err != nil {
				t.Errorf("round %d: half-close: %v", i, err)
			}
		})
		cut := make(chan struct{})
		timer := time.AfterFunc(pause, func() { // awaited below
			w.proxy.Cut([]fault.Kind{fault.Reset, fault.MidFrame}[i%2])
			close(cut)
		})
		if err := same(s, uint64(i), n); err != nil {
			t.Errorf("round %d: %v", i, err)
		}
		write.Wait()
		<-cut
		timer.Stop()
		_ = s.Close() // both directions have ended
		if states.count() > from && t.Failed() {
			return
		}
	}
	// Whatever was cut last is repaired, and the session is the first.
	if err := upload(product.Open(t, c, target), 1, 1000, &moved); err != nil {
		t.Error(err)
	}
	if got := w.Counts(t).Sessions; got != 1 {
		t.Errorf("%d sessions, want 1", got)
	}
	t.Logf("%d half-closes, %d carriers", rounds, w.proxy.Taken())
}

// same reads to the end and wants n bytes of the noise.
func same(r io.Reader, seed uint64, n int64) error {
	got := make([]byte, 32<<10)
	want := make([]byte, 32<<10)
	source := noise(seed)
	total := int64(0)
	for {
		m, err := r.Read(got)
		_, _ = io.ReadFull(source, want[:m]) // a noise has no end
		if !bytes.Equal(got[:m], want[:m]) {
			return fmt.Errorf("bytes %d to %d differ", total, total+int64(m))
		}
		total += int64(m)
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("after %d of %d bytes: %w", total, n, err)
		}
	}
	if total != n {
		return fmt.Errorf("%d bytes, want %d", total, n)
	}
	return nil
}

// TestHalfCloseRunsLong: each direction goes on for long after the other has ended, over
// any number of carriers.
func TestHalfCloseRunsLong(t *testing.T) {
	w := newWorld(t, quick)
	target := product.Target(t, mover)
	c, states := w.client()
	n := scaled[int64](4<<20, 64<<20)
	cuts := scaled(8, 40)

	// Down: the client has ended its direction, the target sends on.
	down := product.Open(t, c, target)
	if _, err := fmt.Fprintf(down, "down 5 %d\n", n); err != nil {
		t.Fatal(err)
	}
	if err := down.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	// Up: the target has ended its direction before the client sends.
	up := product.Open(t, c, target)
	if _, err := io.WriteString(up, "down 6 0\n"); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(up); err != nil || len(b) != 0 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	var both sync.WaitGroup
	both.Go(func() {
		if err := same(&slow{r: down, cuts: cuts, n: n, cut: func() {
			from := states.count()
			w.proxy.Cut(fault.Reset)
			states.await(t, from, "repaired", is(client.Open))
		}}, 5, n); err != nil {
			t.Errorf("down: %v", err)
		}
	})
	both.Go(func() {
		if _, err := io.CopyN(up, noise(7), n); err != nil {
			t.Errorf("up: %v", err)
		}
		if err := up.CloseWrite(); err != nil {
			t.Errorf("the end of up: %v", err)
		}
	})
	both.Wait()
	if got := w.Counts(t).Sessions; got != 1 {
		t.Errorf("%d sessions, want 1", got)
	}
	eventually(t, "the server has given the streams back", func() bool { return w.Counts(t).Streams == 0 })
}

// slow cuts the carrier at even distances in what it reads.
type slow struct {
	r    io.Reader
	n    int64
	cuts int
	cut  func()
	read int64
	made int64
}

func (s *slow) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	s.read += int64(n)
	if next := s.n * (s.made + 1) / int64(s.cuts+1); s.read >= next && s.made < int64(s.cuts) {
		s.made++
		s.cut()
	}
	return n, err
}
