package sockmux

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// errnos are what Go's net package returns where a code of ours stands. A code that is not
// listed is syscall.EIO.
var errnos = map[wire.Code]syscall.Errno{
	wire.Refused:             syscall.ECONNREFUSED,
	wire.HostUnreachable:     syscall.EHOSTUNREACH,
	wire.NetworkUnreachable:  syscall.ENETUNREACH,
	wire.TimedOut:            syscall.ETIMEDOUT,
	wire.Denied:              syscall.EACCES,
	wire.Limit:               syscall.EMFILE,
	wire.Reset:               syscall.ECONNRESET,
	wire.Aborted:             syscall.ECONNABORTED,
	wire.Idle:                syscall.ETIMEDOUT,
	wire.AddressNotAvailable: syscall.EADDRNOTAVAIL,
	wire.AddressInUse:        syscall.EADDRINUSE,
	wire.InvalidRequest:      syscall.EINVAL,
	wire.UnsupportedKind:     syscall.EOPNOTSUPP,
	wire.UnsupportedOption:   syscall.EINVAL,
	wire.UnsupportedVersion:  syscall.EPROTO,
	wire.Protocol:            syscall.EPROTO,
	wire.Unauthorized:        syscall.EACCES,
	wire.Expired:             syscall.EACCES,
	wire.Draining:            syscall.ECONNABORTED,
	wire.SessionLost:         syscall.ECONNABORTED,
	wire.UnknownSession:      syscall.ECONNABORTED,
	wire.FakeAddress:         syscall.EHOSTUNREACH,
	wire.NotConnected:        syscall.ENETDOWN,
}

// failure is a *wire.Error with what Go programs look for in it. It implements net.Error.
type failure struct {
	err *wire.Error
	as  error // a syscall.Errno or a *net.DNSError
}

func (f *failure) Error() string   { return f.err.Error() }
func (f *failure) Unwrap() []error { return []error{f.err, f.as} }

// Timeout implements net.Error.
func (f *failure) Timeout() bool {
	return f.err.Code == wire.TimedOut || f.err.Code == wire.Idle
}

// Temporary implements net.Error.
func (f *failure) Temporary() bool {
	switch f.err.Code {
	case wire.Limit, wire.Draining, wire.NameFailed, wire.Reset, wire.Aborted:
		return true
	default:
		return f.Timeout()
	}
}

// causeOf returns the error that belongs into a *net.OpError. host is what was dialed.
func causeOf(err error, host wire.Host) error {
	var coded *wire.Error
	switch {
	case errors.Is(err, mux.ErrDeadline):
		return os.ErrDeadlineExceeded
	case errors.Is(err, closed.Err):
		return net.ErrClosed
	case !errors.As(err, &coded):
		return err
	}
	switch coded.Code {
	case wire.NameNotFound:
		return &failure{coded, &net.DNSError{Err: coded.Code.Meaning(), Name: host.String(), IsNotFound: true}}
	case wire.NameFailed:
		return &failure{coded, &net.DNSError{Err: coded.Code.Meaning(), Name: host.String(), IsTemporary: true}}
	}
	errno, known := errnos[coded.Code]
	if !known {
		errno = syscall.EIO
	}
	return &failure{coded, errno}
}

// gaveUp is the error of a dial whose context has ended. It implements net.Error.
type gaveUp struct {
	err error // of the context
	why error // why there is no session; nil: there is one
}

// ended returns the error of a dial whose context has ended.
func ended(ctx context.Context, why error) error { return &gaveUp{ctx.Err(), why} }

func (g *gaveUp) Error() string {
	text := "operation was canceled"
	if g.Timeout() {
		text = "i/o timeout"
	}
	if g.why != nil {
		text += "; no connection to the server: " + g.why.Error()
	}
	return text
}

func (g *gaveUp) Unwrap() error { return g.err }

// Timeout implements net.Error.
func (g *gaveUp) Timeout() bool { return errors.Is(g.err, context.DeadlineExceeded) }

// Temporary implements net.Error.
func (g *gaveUp) Temporary() bool { return g.Timeout() }

// opError returns the error of an operation on a connection. io.EOF stays as it is.
func (c *Conn) opError(op string, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &net.OpError{Op: op, Net: c.network, Source: c.local, Addr: c.remote, Err: causeOf(err, wire.Host{})}
}
