package tracing

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// Names of the spans.
const (
	nameSession   = "session"
	nameHandshake = "handshake"
	nameStream    = "stream"
)

// Attributes of our own; the others are those of OpenTelemetry's semantic conventions.
const (
	keySession = attribute.Key("sockmux.session")           // as logs name it
	keyPolicy  = attribute.Key("sockmux.policy")            // name of the policy
	keyMethod  = attribute.Key("sockmux.auth.method")       // how the identity was proved
	keyAgent   = attribute.Key("sockmux.agent")             // what the client calls itself
	keyUp      = attribute.Key("sockmux.stream.bytes_up")   // given to the target
	keyDown    = attribute.Key("sockmux.stream.bytes_down") // given to the page
	keyLimit   = attribute.Key("sockmux.limit")             // that has refused or ended it
)

// handshake makes the spans of a handshake that began at that time and has come to that end. It
// returns the session's span, or nil if it is not sampled; with an error the span has ended.
// header is that of the upgrade request and may be nil.
func (t *Tracer) handshake(header http.Header, began time.Time, client events.Client, err error) trace.Span {
	ctx := propagator.Extract(context.Background(), propagation.HeaderCarrier(header))
	ctx, span := t.tracer.Start(ctx, nameSession, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began))
	if !span.IsRecording() {
		return nil
	}
	attributes := append(t.attributes(client), keyAgent.String(client.Agent))
	if client.Agent == "" {
		attributes = attributes[:len(attributes)-1]
	}
	span.SetAttributes(attributes...)
	// A span of its own tells of the session as it begins; the session's is sent when
	// that ends, which may be tomorrow.
	_, handshake := t.tracer.Start(ctx, nameHandshake, trace.WithTimestamp(began))
	handshake.SetAttributes(attributes...)
	end(handshake, err)
	if err != nil {
		end(span, err)
		return nil
	}
	return span
}

// attributes are those of a session and of its streams.
func (t *Tracer) attributes(c events.Client) (list []attribute.KeyValue) {
	policy := ""
	if c.Method != "" {
		policy = cmp.Or(c.Policy, t.defaultPolicy)
	}
	for _, a := range []attribute.KeyValue{keySession.String(c.Session), semconv.EnduserID(c.Name()), keyMethod.String(c.Method), keyPolicy.String(policy)} {
		if a.Value.AsString() != "" {
			list = append(list, a)
		}
	}
	return append(list, ofClient(c.Peer)...)
}

// ofClient is the address of a client with its port, if that is known.
func ofClient(peer string) []attribute.KeyValue {
	if peer == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(peer)
	if err != nil {
		return []attribute.KeyValue{semconv.ClientAddress(peer)}
	}
	list := []attribute.KeyValue{semconv.ClientAddress(host)}
	if n, err := strconv.Atoi(port); err == nil {
		list = append(list, semconv.ClientPort(n))
	}
	return list
}

// end ends a span with what came of it.
func end(span trace.Span, err error) {
	var refused *limit.Refused
	if errors.As(err, &refused) {
		span.SetAttributes(keyLimit.String(string(refused.Reason)))
	}
	var e *wire.Error
	switch {
	case err == nil:
	case !errors.As(err, &e):
		fail(span, semconv.ErrorTypeOther.Value.AsString(), err.Error())
	case e.Code != wire.OK:
		fail(span, e.Code.String(), err.Error())
	}
	span.End()
}

// fail says what went wrong: a code of docs/PROTOCOL.md, 7, and the text of the log.
func fail(span trace.Span, code, text string) {
	span.SetAttributes(semconv.ErrorTypeKey.String(code))
	span.SetStatus(codes.Error, text)
}
