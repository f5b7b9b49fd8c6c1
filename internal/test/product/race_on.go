//go:build race

package product

// Race reports whether the test, and so the server, has the race detector.
const Race = true
