package tracing

import (
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

	"github.com/sockmux/sockmux/server/limit"
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

// Client is who a session belongs to.
type Client struct {
	Session  string // as logs name it; empty: there is none
	Identity string // empty: nobody authenticates, or it is not known
	Method   string // likewise
	Policy   string // empty: not known
	Peer     string // address of the client, with a port or without
	Agent    string // what the client calls itself
}

// Session is the span of one session. A nil Session is one that is not sampled; all of its methods do nothing.
type Session struct {
	span trace.Span
}

// Session begins the span of a session, whose handshake began at that time and has come to that end; with an error there is no session, and the span has
// ended. header is that of the upgrade request and may be nil.
func (t *Tracer) Session(header http.Header, began time.Time, client Client, err error) *Session {
	if t == nil {
		return nil
	}
	ctx := propagator.Extract(context.Background(), propagation.HeaderCarrier(header))
	ctx, span := t.tracer.Start(ctx, nameSession, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(began))
	if !span.IsRecording() {
		return nil
	}
	span.SetAttributes(client.attributes()...)
	// A span of its own tells of the session as it begins; the session's is sent when that ends, which may be tomorrow.
	_, handshake := t.tracer.Start(ctx, nameHandshake, trace.WithTimestamp(began))
	handshake.SetAttributes(client.attributes()...)
	end(handshake, err)
	s := &Session{span: span}
	if err != nil {
		end(span, err)
		return nil
	}
	return s
}

// attributes are those of a session and of its streams.
func (c Client) attributes() (list []attribute.KeyValue) {
	for _, a := range []attribute.KeyValue{keySession.String(c.Session), semconv.EnduserID(c.Identity), keyMethod.String(c.Method), keyPolicy.String(c.Policy), keyAgent.String(c.Agent)} {
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

// Parked notes that the session has lost its connection.
func (s *Session) Parked(reason error) {
	if s != nil {
		s.span.AddEvent("parked", trace.WithAttributes(attribute.String("reason", reason.Error())))
	}
}

// Resumed notes that it has a new one.
func (s *Session) Resumed() {
	if s != nil {
		s.span.AddEvent("resumed")
	}
}

// Ended ends the span.
func (s *Session) Ended(reason error) {
	if s != nil {
		end(s.span, reason)
	}
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
