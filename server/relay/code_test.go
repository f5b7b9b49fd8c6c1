//go:build !windows

package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

func TestCodeOf(t *testing.T) {
	system := func(call string, errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(call, errno)}
	}
	for _, test := range []struct {
		err  error
		want wire.Code
	}{
		{nil, wire.OK},
		{system("connect", syscall.ECONNREFUSED), wire.Refused},
		{system("connect", syscall.EHOSTUNREACH), wire.HostUnreachable},
		{system("connect", syscall.ENETUNREACH), wire.NetworkUnreachable},
		{system("connect", syscall.ETIMEDOUT), wire.TimedOut},
		{system("connect", syscall.EADDRNOTAVAIL), wire.AddressNotAvailable},
		{system("connect", syscall.EACCES), wire.Denied},
		{system("socket", syscall.EMFILE), wire.Limit},
		{system("socket", syscall.ENFILE), wire.Limit},
		{system("socket", syscall.EAFNOSUPPORT), wire.NetworkUnreachable},
		{system("read", syscall.ECONNRESET), wire.Reset},
		{system("write", syscall.EPIPE), wire.Reset},
		{system("read", syscall.EIO), wire.Internal},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, wire.TimedOut},
		{context.DeadlineExceeded, wire.TimedOut},
		{context.Canceled, wire.Aborted},
		{io.ErrClosedPipe, wire.Aborted},
		{fmt.Errorf("x: %w", wire.NewError(wire.Draining, "y")), wire.Draining},
		{&failure{code: wire.NameFailed, err: errors.New("x")}, wire.NameFailed},
		{errors.New("x"), wire.Internal},
	} {
		if got := codeOf(test.err); got != test.want {
			t.Errorf("%v: %v; want %v", test.err, got, test.want)
		}
	}
}
