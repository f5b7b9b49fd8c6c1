//go:build race

package strangers_test

// detector is what the race detector takes beside, in bytes: its shadow of the heap, and the
// stacks of a few thousand goroutines. Beside other work it took 1.25 GiB. Makefile runs the tests
// of memory without it, too.
const detector = 1<<30 + 1<<28
