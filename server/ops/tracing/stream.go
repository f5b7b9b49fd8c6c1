package tracing

import (
	"context"
	"net/netip"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

// stream is the trace of one stream.
type stream struct {
	ctx  context.Context // with the span, for those below it
	span trace.Span
}

// begin begins the trace of a stream. It returns false if the trace is not sampled.
func (t *Tracer) begin(client events.Client, request wire.Request) (stream, bool) {
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindClient)}
	if session, ok := t.spans.session(client.Number); ok {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: session.SpanContext()}))
	}
	ctx, span := t.tracer.Start(context.Background(), nameStream, options...)
	if !span.IsRecording() {
		return stream{}, false
	}
	span.SetAttributes(t.attributes(client)...)
	span.SetAttributes(semconv.NetworkTransportTCP, semconv.ServerAddress(request.Host.String()), semconv.ServerPort(int(request.Port)))
	return stream{ctx, span}, true
}

// step makes a span below the stream's.
func (t *Tracer) step(s stream, e events.StreamStep) {
	_, span := t.tracer.Start(s.ctx, string(e.Step), trace.WithTimestamp(e.Began))
	if e.To.IsValid() {
		span.SetAttributes(dialed(e.To)...)
	}
	if e.Err != nil {
		fail(span, e.Code.String(), e.Err.Error())
	}
	span.End(trace.WithTimestamp(e.Ended))
}

// ended ends the span of a stream that was served.
func (s stream) ended(e events.StreamEnded) {
	if e.Dialed.IsValid() {
		s.span.SetAttributes(dialed(e.Dialed)...)
	}
	s.end(e.Code, e.Err, e.Limit, e.Up, e.Down)
}

// refused ends the span of a stream that was not served.
func (s stream) refused(r events.Refusal) { s.end(r.Code, r.Err, r.Limit, 0, 0) }

func (s stream) end(code wire.Code, err error, reached limit.Reason, up, down int64) {
	s.span.SetAttributes(keyUp.Int64(up), keyDown.Int64(down))
	if reached != "" {
		s.span.SetAttributes(keyLimit.String(string(reached)))
	}
	if code != wire.OK {
		text := ""
		if err != nil {
			text = err.Error()
		}
		fail(s.span, code.String(), text)
	}
	s.span.End()
}

func dialed(to netip.AddrPort) []attribute.KeyValue {
	return []attribute.KeyValue{semconv.NetworkPeerAddress(to.Addr().String()), semconv.NetworkPeerPort(int(to.Port()))}
}
