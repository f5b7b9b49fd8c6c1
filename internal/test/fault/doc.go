// Package fault has a TCP proxy that fails on demand. Its tests run the native client through
// it to the assembled server, a process of its own (internal/test/product).
//
// Only tests import it. docs/RELIABILITY.md has the figures.
package fault
