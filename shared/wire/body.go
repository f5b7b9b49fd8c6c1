package wire

// Body is a bare message that its carrier keeps where it came, outside of this program's memory. Whoever has it calls Release once, or hands it on.
type Body interface {
	// Len returns its length in bytes.
	Len() int
	// CopyAt fills b with the bytes from at on; there must be as many.
	CopyAt(b []byte, at int)
	// Release forgets it.
	Release()
}
