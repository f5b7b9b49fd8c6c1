package posix

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/budget"
)

// TestRead keeps what a call needs of a message, and counts it while it is read.
func TestRead(t *testing.T) {
	most := calls.MaxHead + maxData
	for _, size := range []int{0, 1, firstRead, firstRead + 1, 100_000, most - 1, most, most + 1, 3 * most} {
		account := budget.New(1<<30, 1).Account()
		b := &bridge{in: account}
		message := bytes.Repeat([]byte("x"), size)
		got, cut, err := b.read(iotest.HalfReader(bytes.NewReader(message)))
		if want := min(size, most); err != nil || len(got) != want || cut != (size > most) {
			t.Errorf("of %d bytes: %d, cut %t, %v", size, len(got), cut, err)
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
