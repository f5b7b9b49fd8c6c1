package session

import "testing"

// kept makes the detached sessions of clients, in the order of their names' letters: "aab" are
// two of a, then one of b.
func kept(names string) *detached {
	d := &detached{clients: make(map[string][]*session)}
	for i, name := range names {
		d.add(&session{key: string(name), waits: uint64(i + 1)})
	}
	return d
}

func TestWhoHasMostLosesFirst(t *testing.T) {
	for _, test := range []struct {
		kept, key    string
		extra, least int
		want         uint64 // waits of the session that goes; 0: none
	}{
		{"baaac", "d", 1, 1, 2},
		{"abbb", "a", 1, 1, 2},
		{"abab", "b", 1, 1, 2},  // the newcomer's own client has the most
		{"abc", "d", 1, 1, 1},   // all have one: the oldest
		{"", "a", 1, 1, 0},      // there is none to go
		{"abc", "d", 1, 2, 0},   // none has two
		{"aabb", "c", 1, 2, 1},  // two clients with two each
		{"abbaa", "a", 0, 2, 1}, // itself
	} {
		var got uint64
		if victim := kept(test.kept).largest(test.key, test.extra, test.least); victim != nil {
			got = victim.waits
		}
		if got != test.want {
			t.Errorf("of %q for %s: session %d goes, want %d", test.kept, test.key, got, test.want)
		}
	}
}

func TestDetachedRemove(t *testing.T) {
	d := kept("aab")
	first := d.clients["a"][0]
	d.remove(first)
	d.remove(first)
	d.remove(&session{key: "c"})
	if d.count != 2 || len(d.clients["a"]) != 1 {
		t.Errorf("%d are left", d.count)
	}
	d.remove(d.clients["a"][0])
	d.remove(d.clients["b"][0])
	if d.count != 0 || len(d.clients) != 0 {
		t.Errorf("%d are left, of %d clients", d.count, len(d.clients))
	}
}
