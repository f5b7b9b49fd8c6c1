package main

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/limit"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/tracing"
	"github.com/sockmux/sockmux/shared/wire"
)

// flushTimeout is what the last spans may take at the end: streams have ended then, and whoever stops the server waits.
const flushTimeout = 3 * time.Second

// openTracer returns nil where the settings name no collector.
func openTracer(settings *config.Config, logger *slog.Logger) (*tracing.Tracer, error) {
	if settings.Tracing.Endpoint == "" {
		return nil, nil
	}
	headers, err := settings.Tracing.Headers()
	if err != nil {
		return nil, err // of a file that has changed since it was checked
	}
	return tracing.New(tracing.Config{
		Endpoint: settings.Tracing.Endpoint, Headers: headers, Sample: settings.Tracing.Sample, Version: buildVersion(), Logger: logger,
	})
}

// closeTracer sends the last spans, unless now ends first.
func closeTracer(now context.Context, tracer *tracing.Tracer) {
	ctx, cancel := context.WithTimeout(now, flushTimeout)
	defer cancel()
	tracer.Close(ctx)
}

// traces is for metrics.Sources; nil where nothing is traced.
func (o *operations) traces() func() (sent, lost uint64) {
	if o.tracer == nil {
		return nil
	}
	return func() (sent, lost uint64) {
		stats := o.tracer.Stats()
		return stats.Sent, stats.Lost
	}
}

// opened is for session.Config; nil where nothing is traced.
func (o *operations) opened() func(session.Opening) session.Watcher {
	if o.tracer == nil {
		return nil
	}
	return func(opening session.Opening) session.Watcher {
		client := tracing.Client{Session: opening.Session, Peer: opening.Peer.Address, Agent: opening.Agent}
		if identity := opening.Identity; identity != nil {
			client.Identity, client.Method, client.Policy = nameOf(identity), identity.Method, policyOf(identity)
		}
		if s := o.tracer.Session(opening.Peer.Header, opening.Began, client, opening.Err); s != nil {
			return s
		}
		return nil
	}
}

// traceStream begins the trace of a stream that is about to be served; nil: it has none.
func (o *operations) traceStream(who session.Client, request wire.Request) relay.Watcher {
	watched, _ := who.Watcher.(*tracing.Session)
	s := o.tracer.Stream(watched, tracing.Client{
		Session: who.Session, Identity: nameOf(who.Identity), Method: who.Identity.Method, Policy: policyOf(who.Identity), Peer: who.Peer.Address,
	}, request)
	if s == nil {
		return nil
	}
	return s
}

// traceRefused is the trace of a stream that a limit of its session has kept from being served.
func (o *operations) traceRefused(r session.Refusal) {
	if o.tracer == nil || r.Target == "" {
		return
	}
	host, number, _ := net.SplitHostPort(r.Target) // wire.Request.Target has made it
	port, _ := strconv.ParseUint(number, 10, 16)
	watched, _ := r.Watcher.(*tracing.Session)
	s := o.tracer.Stream(watched, tracing.Client{Session: r.Session, Identity: r.Identity, Peer: r.Peer}, wire.Request{Kind: wire.TCP, Host: host, Port: uint16(port)})
	if s == nil {
		return
	}
	record := relay.Record{Code: r.Code, Err: wire.NewError(r.Code, r.Text)}
	if r.Reason != r.Code.String() {
		record.Limit = limit.Reason(r.Reason)
	}
	s.Served(record)
}
