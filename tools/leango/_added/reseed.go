// This file is added to Go's package runtime by tools/leango.

package runtime

// reseed draws anew all that the runtime has drawn at random. JavaScript calls it first in each
// copy of the initialized program (js/src/engine/restore.js), before a copy makes any map.
//
//go:wasmexport reseed
func reseed() {
	lock(&globalRand.lock)
	seed := &globalRand.seed
	if readRandom(seed[:]) != len(seed) || allZero(seed[:]) {
		throw("leango: no random bytes")
	}
	globalRand.state.Init(*seed)
	clear(seed[:])
	unlock(&globalRand.lock)
	for mp := allm; mp != nil; mp = mp.alllink {
		mrandinit(mp)
	}
}
