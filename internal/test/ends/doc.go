// Package ends has tests of how a stream ends: each way that either end, or the path between
// them, can bring about, against the assembled server. docs/RELIABILITY.md has the promises.
package ends
