package posix

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/budget"
)

// TestRead keeps what a call needs of a message, and counts it while it is read.
func TestRead(t *testing.T) {
	most := calls.MaxHead + maxData
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, secondRead - 1, secondRead, secondRead + 1, 100_000, most - 1, most, most + 1, 3 * most} {
		account := budget.New(1<<30, 1).Account()
		b := &bridge{in: account}
		message := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{}).Read(message) // never fails
		got, cut, err := b.read(iotest.HalfReader(bytes.NewReader(message)))
		if want := min(size, most); err != nil || !bytes.Equal(got, message[:want]) || cut != (size > most) {
			t.Errorf("of %d bytes: %d, cut %t, %v", size, len(got), cut, err)
		}
		if _, _, err := b.read(bytes.NewReader(make([]byte, secondRead))); err != nil || !bytes.Equal(got, message[:len(got)]) {
			t.Errorf("the next message changes one of %d bytes, %v", size, err)
		}
		if n := account.Held(); n != 0 {
			t.Errorf("%d bytes are held", n)
		}
	}
	broken := errors.New("broken")
	if _, _, err := new(bridge).read(io.MultiReader(strings.NewReader("some"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if _, _, err := new(bridge).read(io.MultiReader(bytes.NewReader(make([]byte, most)), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// TestReadWhereMemoryIsScarce keeps the beginning of a message, and holds nothing behind it.
func TestReadWhereMemoryIsScarce(t *testing.T) {
	account := budget.New(secondRead+1, 1).Account()
	b := &bridge{in: account}
	message := make([]byte, 3*secondRead)
	_, _ = rand.NewChaCha8([32]byte{}).Read(message) // never fails
	r := bytes.NewReader(message)
	got, cut, err := b.read(r)
	if err != nil || !cut || !bytes.Equal(got, message[:secondRead]) || r.Len() != 0 {
		t.Errorf("%d bytes, cut %t, %d left, %v", len(got), cut, r.Len(), err)
	}
	if _, _, err := b.read(bytes.NewReader(make([]byte, secondRead))); err != nil || !bytes.Equal(got, message[:secondRead]) {
		t.Errorf("the next message changes it, %v", err)
	}
	if n := account.Held(); n != 0 {
		t.Errorf("%d bytes are held", n)
	}
}

// TestReadAllocates holds that a message takes one piece of memory, of about its length, and a long
// one none: it is lent.
func TestReadAllocates(t *testing.T) {
	b := new(bridge)
	for size, most := range map[int]float64{20: 1.5, firstRead: 1.5, leastLent - 1: 1.5, leastLent: 0.5, secondRead - 1: 0.5} {
		r := bytes.NewReader(nil)
		message := make([]byte, size)
		read := func() {
			r.Reset(message)
			_, _, _ = b.read(r) // TestRead looks at it
			b.freeLent()
		}
		read() // the pool has a buffer
		if n := testing.AllocsPerRun(100, read); n > most {
			t.Errorf("a message of %d bytes allocates %.1f times", size, n)
		}
	}
}
