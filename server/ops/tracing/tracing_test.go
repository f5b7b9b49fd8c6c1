package tracing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/tracing"
	"github.com/sockmux/sockmux/server/ops/tracing/tracetest"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open makes a tracer, and its log.
func open(t *testing.T, config tracing.Config) (*tracing.Tracer, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	config.Logger = slog.New(slog.NewTextHandler(log, nil))
	tracer, err := tracing.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return tracer, log
}

var (
	request = wire.Request{Kind: wire.TCP, Host: wire.ParseHost("db.test"), Port: 5432}
	remote  = netip.MustParseAddrPort("198.51.100.7:5432")
)

func TestSessionLife(t *testing.T) {
	collector := tracetest.New(t)
	tracer, log := open(t, tracing.Config{Endpoint: collector.URL + "/tenant/", Sample: 1, Version: "v1.2.3", Headers: map[string]string{"X-Tenant": "one"}})
	began := time.Now().Add(-time.Minute)
	client := events.Client{Number: 1, Session: "0102", Peer: "2001:db8::1"}
	now := time.Now()
	for _, e := range []events.Event{
		events.SessionOpened{Client: client, Began: began},
		events.SessionDetached{Client: client, Reason: errors.New("the connection was lost")},
		events.SessionResumed{Client: client},
		events.StreamOpened{Stream: 7, Client: client, Request: request},
		events.StreamStep{Stream: 7, Step: events.StepPolicy, Began: now, Ended: now},
		events.StreamStep{Stream: 7, Step: events.StepDial, To: remote, Began: now, Ended: now, Code: wire.TimedOut, Err: wire.NewError(wire.TimedOut, "too long")},
		events.StreamEnded{Stream: 7, Client: client, Code: wire.TimedOut, Err: errors.New("in full"), Dialed: remote, Limit: "stream_lifetime", Up: 1 << 40},
		events.SessionEnded{Client: client, Err: wire.NewError(wire.OK, "bye")},
	} {
		tracer.Record(e)
	}
	tracer.Close(t.Context())

	session := collector.Named("session")[0]
	if fmt.Sprint(session.Events) != "[parked resumed]" || session.Failed || session.Began != uint64(began.UnixNano()) || session.Parent != "" {
		t.Errorf("%+v", session)
	}
	if fmt.Sprint(session.Attributes) != "map[client.address:2001:db8::1 sockmux.session:0102]" {
		t.Errorf("%v", session.Attributes)
	}
	if session.Service != "sockmux" || session.Resource["service.version"] != "v1.2.3" || session.Resource["host.name"] == "" || session.Resource["telemetry.sdk.language"] != "go" {
		t.Errorf("resource %v", session.Resource)
	}
	one := collector.Named("stream")[0]
	want := "map[client.address:2001:db8::1 error.type:timed_out network.peer.address:198.51.100.7 network.peer.port:5432 network.transport:tcp server.address:db.test server.port:5432" +
		" sockmux.limit:stream_lifetime sockmux.session:0102 sockmux.stream.bytes_down:0 sockmux.stream.bytes_up:1099511627776]"
	if fmt.Sprint(one.Attributes) != want || one.Status != "in full" || one.Trace == session.Trace || fmt.Sprint(one.Links) != "["+session.ID+"]" {
		t.Errorf("%+v", one)
	}
	below := collector.Below(one)
	if len(below) != 2 || below[0].Name != "policy" || below[0].Failed || fmt.Sprint(below[1].Attributes) != "map[error.type:timed_out network.peer.address:198.51.100.7 network.peer.port:5432]" {
		t.Errorf("%+v", below)
	}
	for _, r := range collector.Requests() {
		if r.URL.Path != "/tenant/v1/traces" || r.Header.Get("X-Tenant") != "one" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s with %v", r.URL, r.Header)
		}
	}
	if log.Len() > 0 {
		t.Errorf("log %s", log)
	}
}

// A connection that ends before its hello has no code.
func TestHandshakeFails(t *testing.T) {
	collector := tracetest.New(t)
	tracer, _ := open(t, tracing.Config{Endpoint: collector.URL, Sample: 1})
	tracer.Record(events.HandshakeFailed{Client: events.Client{Peer: "192.0.2.1:5"}, Began: time.Now(), Err: io.ErrUnexpectedEOF})
	tracer.Close(t.Context())
	for _, s := range collector.Spans() {
		if !s.Failed || s.Attributes["error.type"] != "_OTHER" || s.Status != "unexpected EOF" || s.Attributes["client.port"] != "5" {
			t.Errorf("%+v", s)
		}
	}
	if len(collector.Spans()) != 2 {
		t.Errorf("%+v", collector.Spans())
	}
}

// Headers of the upgrade that are no traceparent begin no trace but our own.
func TestTraceparent(t *testing.T) {
	collector := tracetest.New(t)
	tracer, _ := open(t, tracing.Config{Endpoint: collector.URL, Sample: 1})
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, text := range []string{"", "hello", good[:40], "ff" + good[2:], strings.ToUpper(good), strings.Repeat("0", 1000), good} {
		tracer.Record(events.SessionOpened{Header: http.Header{"Traceparent": {text}}, Began: time.Now(), Client: events.Client{Agent: text}})
		tracer.Record(events.SessionEnded{})
	}
	tracer.Close(t.Context())
	for _, s := range collector.Named("session") {
		if joined := s.Trace == good[3:35] && s.Parent == good[36:52]; joined != (s.Attributes["sockmux.agent"] == good) || !joined && s.Parent != "" {
			t.Errorf("%+v", s)
		}
	}
	if n := len(collector.Named("session")); n != 7 {
		t.Errorf("%d sessions", n)
	}
}

// Of the environment only what describes the process counts.
func TestEnvironment(t *testing.T) {
	other := tracetest.New(t)
	for name, value := range map[string]string{
		"OTEL_SERVICE_NAME": "edge", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
		"OTEL_EXPORTER_OTLP_ENDPOINT": other.URL, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": other.URL, "OTEL_EXPORTER_OTLP_HEADERS": "X-Other=1", "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": "testdata/authority.pem", "OTEL_TRACES_SAMPLER": "always_off", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "1", "OTEL_BSP_MAX_QUEUE_SIZE": "1",
	} {
		t.Setenv(name, value)
	}
	collector := tracetest.New(t)
	tracer, log := open(t, tracing.Config{Endpoint: collector.URL, Sample: 1})
	tracer.Record(events.SessionOpened{Began: time.Now(), Client: events.Client{Agent: "long enough"}})
	tracer.Record(events.SessionEnded{})
	tracer.Close(t.Context())
	spans := collector.Spans()
	if len(spans) != 2 || len(other.Requests()) > 0 || log.Len() > 0 {
		t.Fatalf("%+v, others %d, log %s", spans, len(other.Requests()), log)
	}
	if s := spans[0]; s.Service != "edge" || s.Resource["deployment.environment.name"] != "test" || s.Attributes["sockmux.agent"] != "long enough" {
		t.Errorf("%+v", s)
	}
	if h := collector.Requests()[0].Header; h.Get("X-Other") != "" {
		t.Errorf("%v", h)
	}
	t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "nonsense")
	if _, err := tracing.New(tracing.Config{Endpoint: collector.URL}); err == nil || !strings.HasPrefix(err.Error(), "OTEL_RESOURCE_ATTRIBUTES: ") {
		t.Errorf("error %v", err)
	}
}

// What the queue does not hold is lost and counted, and the end of a span does not wait.
func TestQueueIsBounded(t *testing.T) {
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived <- struct{}{}
		<-release
	}))
	defer server.Close()
	tracer, log := open(t, tracing.Config{Endpoint: server.URL, Sample: 1})
	const many = 20_000
	for i := range many {
		serve(tracer)
		if i == 1000 {
			<-arrived // from here on the collector holds the sender
		}
	}
	close(release)
	tracer.Close(t.Context())
	stats := tracer.Stats()
	if stats.Sent+stats.Lost != many || stats.Sent < 1000 || stats.Sent > 1000+2048 {
		t.Errorf("%+v", stats)
	}
	if want := fmt.Sprintf(`msg="traces were lost" spans=%d of=%d`, stats.Lost, many); !strings.Contains(log.String(), want) || !strings.Contains(log.String(), "more spans than the collector takes in time") {
		t.Errorf("log %s, want %s", log, want)
	}
}

// What a collector has not taken of a batch is lost.
func TestRejected(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "\x0a\x0b\x08\x02\x12\x07too old") // partial_success { rejected_spans: 2, error_message: "too old" }
	}))
	defer server.Close()
	tracer, log := open(t, tracing.Config{Endpoint: server.URL, Sample: 1})
	for range 5 {
		serve(tracer)
	}
	tracer.Close(t.Context())
	if stats := tracer.Stats(); stats != (tracing.Stats{Sent: 3, Lost: 2}) || !strings.Contains(log.String(), "rejected 2 spans: too old") {
		t.Errorf("%+v, log %s", stats, log)
	}
}

// A collector that hangs does not hold the end.
func TestCloseDoesNotWait(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tracer, log := open(t, tracing.Config{Endpoint: "http://" + l.Addr().String(), Sample: 1})
	serve(tracer)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	tracer.Close(ctx)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if !strings.Contains(log.String(), `msg="traces were lost" spans=1 of=1`) {
		t.Errorf("log %s", log)
	}
}

// Secrets do not follow a redirect.
func TestRedirect(t *testing.T) {
	elsewhere := tracetest.New(t)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL+"/v1/traces", http.StatusTemporaryRedirect))
	defer server.Close()
	tracer, log := open(t, tracing.Config{Endpoint: server.URL, Sample: 1, Headers: map[string]string{"X-Key": "s3cret"}})
	serve(tracer)
	tracer.Close(t.Context())
	if len(elsewhere.Requests()) > 0 || !strings.Contains(log.String(), "307") || strings.Contains(log.String(), "s3cret") {
		t.Errorf("%d requests, log %s", len(elsewhere.Requests()), log)
	}
}

// serve is a stream from its begin to its end.
func serve(tracer *tracing.Tracer) {
	tracer.Record(events.StreamOpened{Request: request})
	tracer.Record(events.StreamEnded{})
}

// A tracer that is off takes every event.
func TestOff(t *testing.T) {
	var off *tracing.Tracer
	serve(off)
	off.Record(events.SessionOpened{})
	off.Close(t.Context())
}
