package relay

import (
	"errors"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// Step is a part of the way from a request to its answer.
type Step string

// The steps. What is refused has no further ones.
const (
	StepPolicy  Step = "policy"  // the policy is asked: of the host, and then of the addresses that it has
	StepResolve Step = "resolve" // the resolver is asked; an address needs none
	StepDial    Step = "dial"    // one address is connected to; there may be several, one beside the other
)

// Watcher is told how one stream goes, beside its log line.
type Watcher interface {
	// Step is told that a step begins; to is the address of a dial, and invalid for other steps. What it returns is called once, when the step ends: nil is
	// success. Dials overlap, so several goroutines may call it at once.
	Step(step Step, to netip.AddrPort) (done func(error))
	// Served is told the end, by the goroutine that serves the stream and when no step is left.
	Served(Record)
}

// Record is what there is to say of a stream that has ended. The log line is made of it.
type Record struct {
	Code     wire.Code
	Err      error          // in full, not for the page; nil for a clean end
	Limit    limit.Reason   // that has ended it; empty: none
	Remote   netip.AddrPort // that it was connected to; invalid: to none
	Dialled  netip.AddrPort // that the page was told of: Remote or, where no dial succeeded, that of the failure it was told; invalid: none
	Up, Down int64          // bytes given to the target, to the page
	Dial     time.Duration  // policy, name and connection together
	Duration time.Duration
}

// record is that of a stream that has ended with e.
func (p *pipe) record(e ending) Record {
	r := Record{Code: e.code, Err: e.err, Remote: p.remote, Dialled: p.told, Up: p.up.Load(), Down: p.given.Load(), Dial: p.dialled, Duration: time.Since(p.began)}
	var refused *limit.Refused
	if errors.As(e.err, &refused) {
		r.Limit = refused.Reason
	}
	return r
}

// step begins a step; the caller calls what it returns. Where nobody watches it costs nothing.
func (r *Relay) step(step Step, to netip.AddrPort) (done func(error)) {
	if r.watcher == nil {
		return unwatched
	}
	return r.watcher.Step(step, to)
}

func unwatched(error) {}

// CodeOf returns the code of an error that a Watcher is told; wire.OK for nil.
func CodeOf(err error) wire.Code { return codeOf(err) }
