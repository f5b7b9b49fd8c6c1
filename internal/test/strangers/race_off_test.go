//go:build !race

package strangers_test

// detector is what the race detector takes beside, in bytes.
const detector = 0
