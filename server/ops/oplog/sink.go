// Package oplog writes what happens in the server to its log: one line for each event that
// operators look for.
//
//	w := oplog.NewWriter(os.Stderr)
//	defer w.Close()
//	logger := slog.New(slog.NewJSONHandler(w, nil))
//	sink := oplog.NewSink(logger)
//	defer sink.Close()
package oplog

import (
	"context"
	"log/slog"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/session/limit"
)

// Sink is an events.Sink that writes to a logger. Refusals of one kind that a network causes within
// a second are two lines at most: the first in full, then the number of the others.
type Sink struct {
	log      *slog.Logger
	refusals refusals
}

var _ events.Sink = (*Sink)(nil)

// NewSink returns a sink that writes to the logger. It must be closed behind the last event.
func NewSink(logger *slog.Logger) *Sink { return &Sink{log: logger, refusals: refusals{log: logger}} }

// Close writes what waits for the end of a second.
func (s *Sink) Close() { s.refusals.close() }

// Record implements events.Sink. Its frame is small: most events have no line, and are those of
// goroutines with little stack.
func (s *Sink) Record(event events.Event) {
	switch e := event.(type) {
	case events.HandshakeFailed, events.StreamOpened, events.StreamStep, events.StreamAnswered: // of traces and metrics
		return
	case events.StreamEnded:
		if !e.Refused && !s.log.Enabled(context.Background(), slog.LevelInfo) {
			return
		}
	}
	s.record(event)
}

// record writes the line of an event.
func (s *Sink) record(e events.Event) {
	switch e := e.(type) {
	case events.UpgradeRefused:
		if !s.first(upgradeRefused, e.Refusal.Reason, e.Client) {
			return
		}
		s.log.LogAttrs(context.Background(), slog.LevelWarn, upgradeRefused, slog.String("peer", e.Client.Peer),
			slog.Int("status", e.Status), slog.String("reason", e.Refusal.Reason), slog.String("error", e.Refusal.Text))
	case events.Refused:
		if s.first(string(e.Subject), e.Refusal.Reason, e.Client) {
			s.refused(e)
		}
	case events.SessionOpened:
		s.info("session opened", e.Client, slog.String("identity", e.Client.Identity), slog.String("method", e.Client.Method),
			slog.String("policy", e.Client.Policy), slog.String("agent", e.Client.Agent))
	case events.SessionDetached:
		s.info("session parked", e.Client, slog.Any("reason", e.Reason), slog.Int("streams", e.Streams))
	case events.SessionResumed:
		client := e.Client
		client.Peer = e.Peer
		s.info("session resumed", client, slog.Int("streams", e.Streams))
	case events.SessionEnded:
		if e.Expired {
			s.info("session expired", e.Client, slog.Int("streams", e.Streams))
			return
		}
		s.info("session ended", e.Client, slog.Any("reason", e.Reason), slog.Int("streams", e.Streams),
			slog.Duration("duration", e.Duration.Round(time.Millisecond)))
	case events.StreamEnded:
		if !e.Refused || s.first(streamEnded, e.Code.String(), e.Client) {
			s.stream(e)
		}
	}
}

// first reports whether the line of a refusal is to be written.
func (s *Sink) first(message, reason string, client events.Client) bool {
	return s.refusals.first(kind{message, reason, limit.Network(client.Peer)})
}

// Messages of lines that may be of refusals, beside those of events.Refused.
const (
	upgradeRefused = "connection refused"
	streamEnded    = "stream"
)

// info writes a line about a session.
func (s *Sink) info(message string, client events.Client, attrs ...slog.Attr) {
	all := append([]slog.Attr{slog.String("session", client.Session), slog.String("peer", client.Peer)}, attrs...)
	s.log.LogAttrs(context.Background(), slog.LevelInfo, message, all...)
}

// refused writes the line of a refusal, without what is not known.
func (s *Sink) refused(e events.Refused) {
	attrs := []slog.Attr{
		slog.String("reason", e.Refusal.Reason), slog.String("code", e.Refusal.Code.String()), slog.String("peer", e.Client.Peer),
	}
	target := ""
	if e.Subject == events.NewStream {
		target = e.Request.Target()
	}
	for _, a := range []slog.Attr{slog.String("identity", e.Client.Identity), slog.String("session", e.Client.Session), slog.String("target", target)} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	attrs = append(attrs, slog.String("error", e.Refusal.Err.Error()))
	s.log.LogAttrs(context.Background(), slog.LevelWarn, string(e.Subject), attrs...)
}

// stream writes the access line of a stream.
func (s *Sink) stream(e events.StreamEnded) {
	attrs := []slog.Attr{
		slog.String("session", e.Client.Session),
		slog.String("identity", e.Client.Identity),
		slog.String("peer", e.Client.Peer),
		slog.String("target", e.Request.Target()),
		slog.String("code", e.Code.String()),
		slog.Int64("up", e.Up),
		slog.Int64("down", e.Down),
		slog.Duration("dial", e.Dial),
		slog.Duration("duration", e.Duration),
	}
	if e.Limit != "" {
		attrs = append(attrs, slog.String("limit", string(e.Limit)))
	}
	if e.Remote.IsValid() {
		attrs = append(attrs, slog.String("remote", e.Remote.String()))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	level := slog.LevelInfo
	if e.Unused {
		level = slog.LevelDebug
	}
	s.log.LogAttrs(context.Background(), level, streamEnded, attrs...)
}
