// Package budget shares what there is, such as memory, among holders, so that no holder
// can take the share of another.
//
//	all := budget.New(1<<30, 128<<10)
//	one := all.Account()
//	defer one.Close()
//	one.Hold(len(chunk)) // when the chunk is taken
//	one.Hold(-len(chunk)) // when it is given back
//	if one.Over() { ... } // take no more for now
//
// The rule is that of dynamic thresholds (Choudhury, Hahne: Dynamic Queue Length Thresholds
// for Shared-Memory Packet Switches, IEEE/ACM Transactions on Networking 6(2), 1998): a
// holder may hold as much as is free. One holder gets half of the budget, two get a third
// each, and as much as each of them is left for the next. So the largest holders are over
// first, and a new one finds memory without a search for a victim.
//
// Holding is never refused: what has arrived is there. A holder that is over stops taking.
package budget

import "sync/atomic"

// Budget is an amount of something, such as bytes. Any number of goroutines may use one.
type Budget struct {
	max   int64
	floor int64
	used  atomic.Int64
	high  chan struct{} // capacity 1
}

// New returns a budget of max. An account may always hold floor, however little is left: that
// keeps every holder moving.
func New(max, floor int64) *Budget {
	return &Budget{max: max, floor: floor, high: make(chan struct{}, 1)}
}

// Max returns the size.
func (b *Budget) Max() int64 { return b.max }

// Used returns how much is held.
func (b *Budget) Used() int64 { return b.used.Load() }

// Scarce reports whether more than three quarters are held. Holders that are not needed
// should go then. Three holders that take all they may come to exactly that.
func (b *Budget) Scarce() bool { return b.used.Load() > b.max/4*3 }

// Exhausted reports whether more is held than there is.
func (b *Budget) Exhausted() bool { return b.used.Load() > b.max }

// High returns a channel that receives a value when memory is taken while it is scarce.
// One goroutine may receive from it.
func (b *Budget) High() <-chan struct{} { return b.high }

// Account returns a new holder, which the caller closes. That of a nil Budget is nil.
func (b *Budget) Account() *Account {
	if b == nil {
		return nil
	}
	return &Account{budget: b, freed: make(chan struct{}, 1)}
}

func (b *Budget) add(n int64) {
	b.used.Add(n)
	if n > 0 && b.Scarce() {
		select {
		case b.high <- struct{}{}:
		default:
		}
	}
}
