package relay

import "testing"

func TestBufferFollowsWhatIsRead(t *testing.T) {
	var b buffer
	defer b.put()
	for _, step := range []struct{ n, want int }{
		{0, 1 << 10}, {1 << 10, 8 << 10}, {8 << 10, 64 << 10}, {64 << 10, 64 << 10}, {5 << 10, 64 << 10}, {4 << 10, 8 << 10}, {100, 1 << 10}, {100, 1 << 10},
	} {
		b.get()
		b.used(step.n)
		if got := len(b.get()); got != step.want {
			t.Errorf("after a read of %d: %d bytes, want %d", step.n, got, step.want)
		}
	}
}
