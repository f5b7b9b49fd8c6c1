package pump

import (
	"slices"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/wasm/memory"
)

// TestShortWritesTravelTogether: what was written before Go ran leaves in one piece, as
// the buffers of a writev() do.
func TestShortWritesTravelTogether(t *testing.T) {
	long := strings.Repeat("x", joined)
	for _, test := range []struct{ writes, want []string }{
		{nil, nil},
		{[]string{"abc"}, []string{"abc"}},
		{[]string{"abc", "de", "fgh"}, []string{"abcdefgh"}},
		{[]string{"a", long, "b", "c"}, []string{"a", long, "bc"}},
		{[]string{long[:joined-1], "b", "c"}, []string{long[:joined-1] + "b", "c"}},
		{[]string{long + long, "b"}, []string{long + long, "b"}},
	} {
		s := newStream(&Pump{pool: new(memory.Pool)}, 1, Request{})
		for _, piece := range test.writes {
			s.write([]byte(piece))
		}
		var got []string
		for b := s.nextLocked(); b != nil; b = s.nextLocked() {
			got = append(got, string(b))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%d writes leave as %d pieces, want %d", len(test.writes), len(got), len(test.want))
		}
	}
}
