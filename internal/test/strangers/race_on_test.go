//go:build race

package strangers_test

// detector is what the race detector takes beside, in bytes: its shadow of the heap, and the
// stacks of a few thousand goroutines.
const detector = 1 << 30
