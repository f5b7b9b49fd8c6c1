package places_test

import (
	"fmt"
	"testing"

	"github.com/sockmux/sockmux/server/listener/places"
)

// crowd enters connections and notes which of them have lost their places.
type crowd struct {
	pool *places.Pool
	out  map[string]bool
}

func newCrowd(max int) *crowd {
	return &crowd{places.New(max), make(map[string]bool)}
}

func (c *crowd) enter(network string, rank places.Rank, name string) *places.Place {
	return c.pool.Enter(network, rank, func() { c.out[name] = true })
}

func (c *crowd) expect(t *testing.T, names ...string) {
	t.Helper()
	if len(c.out) != len(names) {
		t.Errorf("out: %v, want %v", c.out, names)
	}
	for _, name := range names {
		if !c.out[name] {
			t.Errorf("%s has its place yet; out: %v", name, c.out)
		}
	}
	clear(c.out)
}

func TestTheLargestNetworkLoses(t *testing.T) {
	c := newCrowd(6)
	for i := range 3 {
		c.enter("a", places.Waiting, fmt.Sprint("a", i))
	}
	for i := range 2 {
		c.enter("b", places.Waiting, fmt.Sprint("b", i))
	}
	c.enter("c", places.Waiting, "c0")
	c.expect(t)
	c.enter("d", places.Waiting, "d0")
	c.expect(t, "a0")
}

// A network has the free places, but keeps no idle connections in more than half of all.
func TestOneNetworkHasWhatIsFree(t *testing.T) {
	for rank, want := range map[places.Rank][]string{
		places.Spare: {"a0", "a1", "a2", "a3", "a4"}, places.Waiting: {"a0", "a1"}, places.Busy: {"a0", "a1"},
	} {
		c := newCrowd(6)
		for i := range 8 {
			c.enter("a", rank, fmt.Sprint("a", i))
		}
		c.expect(t, want...)
		if s := c.pool.Stats(); s.Count != 8-len(want) || s.Max != 6 || s.Evicted != uint64(len(want)) {
			t.Errorf("rank %d: stats %+v", rank, s)
		}
	}
}

// Beyond its half a network makes room for itself: it takes no idle connection of another.
func TestOneNetworkTakesNoPlacesOfOthers(t *testing.T) {
	c := newCrowd(4)
	c.enter("b", places.Spare, "b0")
	for i := range 5 {
		c.enter("a", places.Busy, fmt.Sprint("a", i))
	}
	c.expect(t, "a0", "a1")
	c.enter("b", places.Waiting, "b1")
	c.expect(t, "b0")
	c.enter("b", places.Waiting, "b2")
	c.expect(t, "a2")
}

func TestSpareGoesFirst(t *testing.T) {
	c := newCrowd(4)
	c.enter("a", places.Busy, "a0")
	c.enter("a", places.Waiting, "a1")
	b := c.enter("b", places.Busy, "b0")
	c.enter("c", places.Waiting, "c0")
	b.Rank(places.Spare)
	c.enter("d", places.Waiting, "d0")
	c.expect(t, "b0")
	c.enter("e", places.Waiting, "e0")
	c.expect(t, "a1")
	c.enter("f", places.Waiting, "f0")
	if c.out["f0"] || len(c.out) != 1 {
		t.Errorf("out %v, want one, and not the newcomer", c.out)
	}
}

func TestAnyoneHasNoBoundOfItsOwn(t *testing.T) {
	c := newCrowd(4)
	for i := range 4 {
		c.enter(places.Anyone, places.Waiting, fmt.Sprint("proxy", i))
	}
	c.expect(t)
	c.enter("a", places.Waiting, "a0")
	c.expect(t, "proxy0")
	c.enter("b", places.Waiting, "b0")
	c.expect(t, "a0")
}

func TestMove(t *testing.T) {
	c := newCrowd(4)
	first := c.enter(places.Anyone, places.Waiting, "first")
	c.enter("a", places.Spare, "a0")
	c.enter("a", places.Waiting, "a1")
	first.Move("a")
	c.expect(t, "a0")
	first.Move("a")
	first.Leave()
	first.Leave()
	first.Move("b")
	first.Rank(places.Busy)
	if s := c.pool.Stats(); s.Count != 1 {
		t.Errorf("stats %+v, want one place taken", s)
	}
}

func TestRelieve(t *testing.T) {
	c := newCrowd(4)
	c.enter("a", places.Busy, "a0")
	if c.pool.Relieve() {
		t.Error("an answer under way was ended")
	}
	c.enter("a", places.Waiting, "a1")
	if !c.pool.Relieve() {
		t.Error("a connection that waits was not ended")
	}
	c.expect(t, "a1")
}
