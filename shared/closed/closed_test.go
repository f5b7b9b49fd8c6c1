package closed_test

import (
	"errors"
	"net"
	"testing"

	"github.com/sockmux/sockmux/shared/closed"
)

func TestErr(t *testing.T) {
	if native := errors.Is(closed.Err, net.ErrClosed); !native && closed.Err.Error() != net.ErrClosed.Error() {
		t.Errorf("%v is neither net.ErrClosed nor has it its text", closed.Err)
	}
}
