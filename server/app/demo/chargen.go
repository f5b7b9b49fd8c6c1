package demo

// serveChargen sends the lines of RFC 864 until the client ends: 72 of the 95 printable
// characters, each line beginning one later. It does not read, so what ends it is a write
// that fails.
func serveChargen(_ *Demo, c *client) {
	const first, count, width = ' ', 95, 72
	var block []byte // the lines repeat after count of them
	for line := range count {
		for i := range width {
			block = append(block, byte(first+(line+i)%count))
		}
		block = append(block, '\r', '\n')
	}
	for {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}
