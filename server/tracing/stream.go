package tracing

import (
	"context"
	"net/netip"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/shared/wire"
)

// Stream is the trace of one stream.
type Stream struct {
	tracer *Tracer
	ctx    context.Context // with the span, for those below it
	span   trace.Span
}

var _ relay.Watcher = (*Stream)(nil)

// Stream begins the trace of a stream; session may be nil. It returns nil for one that is not sampled, whose methods must not be called.
func (t *Tracer) Stream(session *Session, client Client, request wire.Request) *Stream {
	if t == nil {
		return nil
	}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindClient)}
	if session != nil {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: session.span.SpanContext()}))
	}
	ctx, span := t.tracer.Start(context.Background(), nameStream, options...)
	if !span.IsRecording() {
		return nil
	}
	span.SetAttributes(client.attributes()...)
	span.SetAttributes(semconv.NetworkTransportTCP, semconv.ServerAddress(request.Host), semconv.ServerPort(int(request.Port)))
	return &Stream{tracer: t, ctx: ctx, span: span}
}

// Step begins a span below the stream's.
func (s *Stream) Step(step relay.Step, to netip.AddrPort) func(error) {
	_, span := s.tracer.tracer.Start(s.ctx, string(step))
	if to.IsValid() {
		span.SetAttributes(dialled(to)...)
	}
	return func(err error) {
		if err != nil {
			fail(span, relay.CodeOf(err).String(), err.Error())
		}
		span.End()
	}
}

// Served ends the span.
func (s *Stream) Served(r relay.Record) {
	if r.Dialled.IsValid() {
		s.span.SetAttributes(dialled(r.Dialled)...)
	}
	s.span.SetAttributes(keyUp.Int64(r.Up), keyDown.Int64(r.Down))
	if r.Limit != "" {
		s.span.SetAttributes(keyLimit.String(string(r.Limit)))
	}
	if r.Code != wire.OK {
		text := ""
		if r.Err != nil {
			text = r.Err.Error()
		}
		fail(s.span, r.Code.String(), text)
	}
	s.span.End()
}

func dialled(to netip.AddrPort) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.NetworkPeerAddress(to.Addr().String()), semconv.NetworkPeerPort(int(to.Port()))}
}
