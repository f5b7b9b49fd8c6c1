package relay

import (
	"errors"
	"net/netip"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// opened records that the relay begins with the stream.
func (p *pipe) opened() {
	p.relay.events.Record(events.StreamOpened{Stream: p.relay.number, Client: p.relay.Client, Request: p.request})
}

// reportAnswer records the answer. err is what kept the relay from connecting, or nil.
func (p *pipe) reportAnswer(code wire.Code, err error) {
	answered := events.StreamAnswered{
		Stream: p.relay.number, Client: p.relay.Client, Request: p.request, Code: code, Took: p.dialed,
	}
	if refusal, ok := refusalOf(code, err); ok {
		answered.Refusal = &refusal
		p.refusedByUs = true
	}
	p.relay.events.Record(answered)
}

// refusalOf tells what the server would not do from what the network did not give, and from what
// the client itself has given up.
func refusalOf(code wire.Code, err error) (events.Refusal, bool) {
	switch code {
	case wire.Denied, wire.Limit, wire.FakeAddress, wire.InvalidRequest, wire.UnsupportedKind, wire.UnsupportedOption,
		wire.Unauthorized, wire.Expired, wire.Draining:
		return events.Refusal{Stage: events.StageStream, Reason: code.String(), Code: code, Text: textOf(err), Err: err}, true
	default:
		return events.Refusal{}, false
	}
}

// refusedPeer records that nothing goes to a peer of a udp stream, if err is a refusal of the
// server's own.
func (r *service) refusedPeer(to datagram.Peer, err error) {
	refusal, ok := refusalOf(codeOf(err), err)
	if !ok {
		return
	}
	request := wire.Request{Kind: wire.UDP, Host: to.Host, Port: to.Port}
	r.events.Record(events.Refused{Subject: events.NewStream, Client: r.Client, Request: request, Refusal: refusal})
}

// report records the end.
func (p *pipe) report() {
	end := p.ended()
	e := events.StreamEnded{
		Stream: p.relay.number, Client: p.relay.Client, Request: p.request,
		Code: end.code, Err: end.err, Refused: p.refusedByUs, Unused: errors.Is(end.err, errUnused),
		Remote: p.remote, Dialed: p.told, Up: p.up.Load(), Down: p.given.Load(),
		Dial: p.dialed, Duration: time.Since(p.began),
	}
	var refused *limit.Refused
	if errors.As(end.err, &refused) {
		e.Limit = refused.Reason
	}
	p.relay.events.Record(e)
}

// step begins a step. The caller calls what it returns when the step has ended.
func (r *service) step(step events.Step, to netip.AddrPort) (done func(error)) {
	began := time.Now()
	return func(err error) {
		r.events.Record(events.StreamStep{
			Stream: r.number, Step: step, To: to, Began: began, Ended: time.Now(), Code: codeOf(err), Err: err,
		})
	}
}
