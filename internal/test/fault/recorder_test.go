package fault_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
)

// recorder is a target that reads to the end, be it FIN or RST, and says what it got.
func recorder(answers chan<- string) func(*net.TCPConn) {
	return func(conn *net.TCPConn) {
		h := sha256.New()
		_, _ = io.Copy(h, conn) // an RST is an end as well
		answers <- hex.EncodeToString(h.Sum(nil))
	}
}
