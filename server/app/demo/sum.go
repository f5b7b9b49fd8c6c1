package demo

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// serveSum reads to the client's end, then answers "LENGTH SHA-256\n", the hash in
// hexadecimal. It shows a half-close by the client.
func serveSum(_ *Demo, c *client) {
	hash := sha256.New()
	n, err := io.Copy(hash, c)
	if err != nil {
		return
	}
	_, _ = fmt.Fprintf(c, "%d %x\n", n, hash.Sum(nil))
}
