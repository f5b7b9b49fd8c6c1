package ports_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/sockmux/sockmux/internal/test/ports"
)

func TestFree(t *testing.T) {
	seen := map[int]bool{}
	for range 50 {
		text := ports.FreeFor(t)
		port, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] || port < 20_000 || port >= 30_000 {
			t.Errorf("port %d: again, or none of 20000 to 29999", port)
		}
		seen[port] = true
		listener, err := net.Listen("tcp", "127.0.0.1:"+text)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
	}
}
