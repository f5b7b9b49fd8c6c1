package session

import "testing"

func TestRoom(t *testing.T) {
	for memory, want := range map[int64]int{0: 1, 32 << 20: 341, 128 << 20: 1365, 1 << 50: 1<<31 - 1} {
		if got := SessionsIn(memory); got != want {
			t.Errorf("%d sessions in %d bytes, want %d", got, memory, want)
		}
	}
}
