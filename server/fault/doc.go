// Package fault has what the fault tests need: a TCP proxy that fails on demand. Its tests run the real client and the real server over real WebSockets through it.
//
// Nothing of the product imports it. docs/RELIABILITY.md has the figures.
package fault
