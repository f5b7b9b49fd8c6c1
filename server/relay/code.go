package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/sockmux/sockmux/shared/wire"
)

// failure is an error with what the page may know of it. The page's text does not quote
// the system: its errors name resolvers and addresses of the server's own network.
type failure struct {
	code   wire.Code
	text   string         // for the page
	remote netip.AddrPort // what was dialed; zero if nothing was
	err    error          // for the log
}

func (f *failure) Error() string { return f.code.String() + ": " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// dialFailure describes the failure of one attempt. The policy's own errors pass as they
// are; where an error holds one for the page, the rest is for the log.
func dialFailure(ctx context.Context, target netip.AddrPort, err error) error {
	var own *wire.Error
	if errors.As(err, &own) {
		if err == error(own) {
			return own
		}
		return &failure{code: own.Code, text: own.Text, remote: target, err: err}
	}
	code := codeOf(err)
	if ctx.Err() != nil {
		code = codeOf(context.Cause(ctx))
	}
	return &failure{code: code, text: fmt.Sprintf("%s: %s", target, code.Meaning()), remote: target, err: err}
}

// codeOf returns the code for an error of the network, the system, a context or a stream;
// wire.OK for nil.
func codeOf(err error) wire.Code {
	var own *wire.Error
	var f *failure
	switch {
	case err == nil:
		return wire.OK
	case errors.As(err, &f):
		return f.code
	case errors.As(err, &own):
		return own.Code
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return wire.TimedOut
	case errors.Is(err, context.Canceled):
		return wire.Aborted
	case errors.Is(err, io.ErrClosedPipe):
		return wire.Aborted
	}
	for _, row := range errnos {
		if errors.Is(err, row.errno) {
			return row.code
		}
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return wire.TimedOut
	}
	return wire.Internal
}

// textOf is what the page is told of an error.
func textOf(err error) string {
	var own *wire.Error
	var f *failure
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.text
	case errors.As(err, &own):
		return own.Text
	}
	return codeOf(err).Meaning()
}
