package limit

import (
	"fmt"

	"github.com/sockmux/sockmux/shared/wire"
)

// Refused is the error of everything that is beyond a limit. The *wire.Error in it is for
// the client.
type Refused struct {
	Reason Reason
	Err    *wire.Error
}

// Refuse makes a Refused with the code limit.
func Refuse(reason Reason, format string, args ...any) *Refused {
	return RefuseWith(reason, wire.Limit, format, args...)
}

// RefuseWith makes a Refused with a code of its own.
func RefuseWith(reason Reason, code wire.Code, format string, args ...any) *Refused {
	return &Refused{reason, wire.NewError(code, fmt.Sprintf(format, args...))}
}

func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap gives the *wire.Error.
func (r *Refused) Unwrap() error { return r.Err }
