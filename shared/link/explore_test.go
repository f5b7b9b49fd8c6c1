package link_test

import "testing"

// successors calls found with every state that can follow. calm says that it can also
// follow where the network loses nothing from now on: the one end of a carrier is lost
// then only after the other.
func (m model) successors(b bounds, found func(next model, calm bool)) {
	try := func(calm bool, act func(*model) bool) {
		n := m
		if act(&n) {
			found(n.normal(), calm)
		}
	}
	try(true, func(n *model) bool { return n.dial(b) })
	for e := range m.ends {
		try(true, func(n *model) bool { return n.write(e, b) })
		try(true, func(n *model) bool { return n.send(e, 1, b) })
		try(true, func(n *model) bool { return n.acknowledge(e, b) })
		try(true, func(n *model) bool { return n.expire(e, b) })
		if b.ends {
			try(true, func(n *model) bool { return n.shut(e) })
			try(true, func(n *model) bool { return n.part(e, b) })
		}
		for i := range m.made - m.gone {
			if e == server {
				for _, says := range []bool{false, true} {
					try(false, func(n *model) bool { return n.turnAway(i, says, b) })
				}
			}
			try(true, func(n *model) bool { return n.deliver(e, i, b) })
			under := m.lines[i].way[e].length()
			for keep := range under + 1 {
				try(keep == under && m.lines[i].lost[1-e], func(n *model) bool { return n.lose(e, i, keep) })
			}
		}
	}
}

// explored is what an exploration has seen.
type explored struct{ states, steps, settled int }

// explore looks at every state.
func explore(t *testing.T, b bounds) (of explored) {
	defer func() {
		if v, ok := recover().(violation); ok {
			t.Fatal(v)
		}
	}()
	start := newModel()
	seen := map[model]int32{start: 0}
	all := []model{start}
	before := [][]int32{nil} // of each state, those that lead to it where nothing is lost
	for i := 0; i < len(all); i++ {
		all[i].check(b)
		all[i].successors(b, func(next model, calm bool) {
			of.steps++
			number, known := seen[next]
			if !known {
				number = int32(len(all))
				seen[next] = number
				all = append(all, next)
				before = append(before, nil)
			}
			if calm {
				before[number] = append(before[number], int32(i))
			}
		})
	}
	// Backwards from the states in which nothing is left to be done, or the client's last
	// carrier is lost: whatever cannot get there without another loss is stuck.
	of.states = len(all)
	finished := make([]bool, len(all))
	var reached []int32
	for i := range all {
		done := all[i].settled(b)
		if done {
			of.settled++
		}
		if done || all[i].made == b.carriers && all[i].ends[client].on < 0 {
			finished[i] = true
			reached = append(reached, int32(i))
		}
	}
	for len(reached) > 0 {
		i := reached[len(reached)-1]
		reached = reached[:len(reached)-1]
		for _, j := range before[i] {
			if !finished[j] {
				finished[j] = true
				reached = append(reached, j)
			}
		}
	}
	for i, ok := range finished {
		if !ok {
			t.Fatalf("stuck: %+v", all[i])
		}
	}
	if of.settled == 0 {
		t.Fatal("nothing ever arrives")
	}
	return of
}

// TestModel looks at every state that a small session can reach, both directions at once:
// no byte is lost, doubled or out of order, no bound is broken, no end comes before the
// last byte, and from each state there is a way to the end that needs no further loss.
func TestModel(t *testing.T) {
	for _, test := range []struct {
		name string
		bounds
	}{
		{"bytes both ways", bounds{bytes: [2]uint8{3, 3}, kept: 2, carriers: 4, flight: 2}},
		{"many bytes one way", bounds{bytes: [2]uint8{4, 1}, kept: 3, carriers: 4, flight: 2}},
		{"bytes both ways, and ends", bounds{bytes: [2]uint8{2, 2}, kept: 2, carriers: 4, flight: 2, ends: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			of := explore(t, test.bounds)
			t.Logf("%d states, %d steps between them; in %d states nothing is left to be done", of.states, of.steps, of.settled)
		})
	}
}
