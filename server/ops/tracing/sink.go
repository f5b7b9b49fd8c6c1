package tracing

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/sockmux/sockmux/server/ops/events"
)

// open is the spans of what has not ended. Any number of goroutines may use it.
type open struct {
	mu       sync.Mutex
	sessions map[uint64]trace.Span // by number, sampled ones only
	streams  map[uint64]stream     // likewise
}

func newOpen() *open {
	return &open{sessions: make(map[uint64]trace.Span), streams: make(map[uint64]stream)}
}

func (o *open) session(number uint64) (trace.Span, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	span, ok := o.sessions[number]
	return span, ok
}

func (o *open) addSession(number uint64, span trace.Span) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sessions[number] = span
}

func (o *open) endSession(number uint64) (trace.Span, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	span, ok := o.sessions[number]
	delete(o.sessions, number)
	return span, ok
}

func (o *open) stream(number uint64) (stream, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.streams[number]
	return s, ok
}

func (o *open) addStream(number uint64, s stream) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.streams[number] = s
}

func (o *open) endStream(number uint64) (stream, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.streams[number]
	delete(o.streams, number)
	return s, ok
}

var _ events.Sink = (*Tracer)(nil)

// Record implements events.Sink.
func (t *Tracer) Record(e events.Event) {
	if t == nil {
		return
	}
	switch e := e.(type) {
	case events.HandshakeFailed:
		t.handshake(e.Header, e.Began, e.Client, e.Err)
	case events.SessionOpened:
		if span := t.handshake(e.Header, e.Began, e.Client, nil); span != nil {
			t.spans.addSession(e.Client.Number, span)
		}
	case events.SessionDetached:
		if span, ok := t.spans.session(e.Client.Number); ok {
			span.AddEvent("parked", trace.WithAttributes(attribute.String("reason", e.Reason.Error())))
		}
	case events.SessionResumed:
		if span, ok := t.spans.session(e.Client.Number); ok {
			span.AddEvent("resumed")
		}
	case events.SessionEnded:
		if span, ok := t.spans.endSession(e.Client.Number); ok {
			end(span, e.Err)
		}
	case events.StreamOpened:
		if s, ok := t.begin(e.Client, e.Request); ok {
			t.spans.addStream(e.Stream, s)
		}
	case events.StreamStep:
		if s, ok := t.spans.stream(e.Stream); ok {
			t.step(s, e)
		}
	case events.StreamEnded:
		if s, ok := t.spans.endStream(e.Stream); ok {
			s.ended(e)
		}
	case events.Refused:
		if e.Subject != events.NewStream {
			return // its handshake tells
		}
		if s, ok := t.begin(e.Client, e.Request); ok {
			s.refused(e.Refusal)
		}
	case events.UpgradeRefused, events.StreamAnswered: // no session, and told by the end
	}
}
