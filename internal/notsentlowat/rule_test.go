package notsentlowat

import "testing"

const kib = 1 << 10

func TestNeeded(t *testing.T) {
	for length, want := range map[int]int{
		0:            128 * kib,
		1:            128 * kib,
		32 * kib:     128 * kib,
		32*kib + 1:   256 * kib,
		64 * kib:     256 * kib,
		100 * kib:    512 * kib,
		512*kib - 16: 2048 * kib,
		512 * kib:    2048 * kib,
		1024 * kib:   2048 * kib,
	} {
		if got := needed(length); got != want {
			t.Errorf("messages of %d bytes need %d KiB, want %d", length, got/kib, want/kib)
		}
	}
}

func TestRule(t *testing.T) {
	type step struct {
		length, times int
		limit         int // behind the last of them
		changes       int // by all of them
	}
	tests := map[string][]step{
		"short messages change nothing": {{100, 100_000, 128 * kib, 0}, {32 * kib, 1000, 128 * kib, 0}},
		"the first long one raises it":  {{512 * kib, 1, 2048 * kib, 1}, {512 * kib, 1000, 2048 * kib, 0}},
		"by as much as it needs":        {{40 * kib, 1, 256 * kib, 1}, {100 * kib, 1, 512 * kib, 1}, {200 * kib, 1, 1024 * kib, 1}, {512 * kib, 1, 2048 * kib, 1}},
		"it falls when its size has passed in shorter ones": {
			{512 * kib, 1, 2048 * kib, 1}, {16 * kib, 127, 2048 * kib, 0}, {16 * kib, 1, 128 * kib, 1}, {16 * kib, 1000, 128 * kib, 0},
		},
		"to what the longest of these needs": {
			{512 * kib, 1, 2048 * kib, 1}, {100 * kib, 1, 2048 * kib, 0}, {16 * kib, 121, 2048 * kib, 0}, {16 * kib, 1, 512 * kib, 1},
		},
		"what was long before the last long one does not count": {
			{512 * kib, 1, 2048 * kib, 1}, {100 * kib, 10, 2048 * kib, 0}, {512 * kib, 1, 2048 * kib, 0}, {16 * kib, 127, 2048 * kib, 0}, {16 * kib, 1, 128 * kib, 1},
		},
		"each fall asks for its own size": {
			{512 * kib, 1, 2048 * kib, 1}, {64 * kib, 32, 256 * kib, 1}, {16 * kib, 15, 256 * kib, 0}, {16 * kib, 1, 128 * kib, 1},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRule()
			for i, step := range steps {
				changes := 0
				for range step.times {
					if r.next(step.length) {
						changes++
					}
				}
				if r.limit != step.limit || changes != step.changes {
					t.Errorf("step %d, %d messages of %d bytes: %d KiB after %d changes, want %d after %d", i, step.times, step.length, r.limit/kib, changes, step.limit/kib, step.changes)
				}
			}
		})
	}
}

// Acknowledgements between long messages, and lengths about a power of two, change the
// limit at the start only.
func TestRuleKeepsStill(t *testing.T) {
	for name, test := range map[string]struct {
		lengths []int
		changes int
	}{
		"acknowledgements":     {[]int{512 * kib, 13, 13, 13, 13, 13, 13}, 1},
		"about a power of two": {[]int{60 * kib, 70 * kib, 63 * kib, 65 * kib}, 2},
	} {
		r := newRule()
		changes := 0
		for range 10_000 {
			for _, length := range test.lengths {
				if r.next(length) {
					changes++
				}
			}
		}
		if changes != test.changes {
			t.Errorf("%s: %d changes, want %d", name, changes, test.changes)
		}
	}
}
