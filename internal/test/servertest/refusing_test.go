package servertest_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestRefusing(t *testing.T) {
	address := servertest.Refusing(t)
	for range 3 {
		if conn, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("dial gave %v, %v; want refused", conn, err)
		}
	}
	if listener, err := net.Listen("tcp", address); err == nil {
		listener.Close()
		t.Error("somebody else can listen there")
	}
}
