//go:build !js

package websocket

import (
	"bytes"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestClassOf(t *testing.T) {
	for _, n := range []int{0, 1, 4 << 10, MaxFirst, 64 << 10, 128 << 10, 256 << 10, 512 << 10, wire.MaxMessage} {
		class := classOf(n)
		if bufferSizes[class] < n+beyond || class > 0 && bufferSizes[class-1] >= n+beyond {
			t.Errorf("%d bytes: %d", n, bufferSizes[class])
		}
	}
}

// TestForecast: it rises at once and falls slowly, so that a message between long ones costs
// none of them a copy.
func TestForecast(t *testing.T) {
	var f forecast
	for i, step := range []struct{ came, want int }{{5, 5}, {0, 4}, {5, 5}, {0, 4}, {0, 3}, {0, 2}, {1, 1}, {0, 0}, {0, 0}} {
		if f.came(step.came); f.class() != step.want {
			t.Errorf("step %d: %d, want %d", i, f.class(), step.want)
		}
	}
}

// TestBareMessageLeavesFewUnusedBytes: a bare message waits for its reader in a buffer that is
// not much larger, whatever came before it.
func TestBareMessageLeavesFewUnusedBytes(t *testing.T) {
	var in incoming
	var likely forecast
	for _, n := range []int{512 << 10, 64 << 10, 100, wire.MaxMessage, 130 << 10} {
		want := bytes.Repeat([]byte{byte(n)}, n)
		got, err := in.read(bytes.NewReader(want), &likely)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: %d, %v", n, len(got), err)
		}
		whole, class := in.detach(n)
		if !bytes.Equal((*whole)[:n], want) {
			t.Errorf("%d bytes differ when they have moved", n)
		}
		if size := len(*whole); size >= wasteful*max(n+beyond, bufferSizes[0])*2 {
			t.Errorf("%d bytes are left in %d", n, size)
		}
		if in.buffer != nil || in.held != 0 {
			t.Errorf("%d bytes: the connection still has the buffer", n)
		}
		giveBuffer(class, whole)
	}
}
