package posix

import (
	"math"
	"testing"
)

func TestOrder(t *testing.T) {
	for _, test := range []struct {
		what string
		saw  []int32
		lost []int32
	}{
		{"nothing", nil, []int32{1, 2}},
		{"in order", []int32{1, 2, 3}, []int32{4, 5}},
		{"a bridge that was opened again", []int32{41, 42}, []int32{43}},
		{"gaps", []int32{1, 3, 4, 7}, []int32{2, 5, 6, 8}},
		{"late", []int32{1, 3, 2}, []int32{4}},
		{"twice", []int32{1, 1, 2, 2}, []int32{3}},
		{"at the end of the numbers", []int32{math.MaxInt32 - 1, math.MaxInt32}, []int32{math.MinInt32}},
	} {
		var o order
		for _, id := range test.saw {
			o.saw(id)
		}
		for _, want := range test.lost {
			if got := o.lost(); got != want {
				t.Errorf("%s: call %d is lost, want %d", test.what, got, want)
			}
		}
	}
}

// TestOrderIsBounded keeps no more than some numbers of a program that counts in its own way.
func TestOrderIsBounded(t *testing.T) {
	var o order
	o.saw(1)
	for id := int32(3); id < 100_000; id += 2 {
		o.saw(id)
		if len(o.above) > maxAbove {
			t.Fatalf("%d numbers are kept", len(o.above))
		}
	}
}
