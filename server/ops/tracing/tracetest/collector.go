// Package tracetest is a collector of OpenTelemetry for tests: it takes spans over OTLP
// and HTTP, and shows them.
package tracetest

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span as it was sent.
type Span struct {
	Name, Kind            string
	Trace, ID, Parent     string // hexadecimal; Parent is empty for a root
	Attributes            map[string]string
	Links                 []string // IDs
	Events                []string // names
	Failed                bool
	Status                string // text
	Began, Ended          uint64 // nanoseconds of Unix time
	Service, ScopeVersion string
	Resource              map[string]string
}

// Collector takes spans until the test ends. Any number of goroutines may use it.
type Collector struct {
	URL string // for --otlp-endpoint

	mu       sync.Mutex
	status   int // of answers; 0: all is well
	spans    []Span
	requests []*http.Request
}

// New starts a collector.
func New(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(w, r); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Answer makes the collector answer with that status, and keep nothing, from now on; 0:
// it takes spans again.
func (c *Collector) Answer(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) error {
	zipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(zipped)
	if err != nil {
		return err
	}
	request := new(otlp.TracesData) // the same bytes as an ExportTraceServiceRequest, without gRPC
	if err := proto.Unmarshal(body, request); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	if c.status != 0 {
		http.Error(w, "the collector's own words", c.status)
		return nil
	}
	for _, from := range request.GetResourceSpans() {
		resource := texts(from.GetResource().GetAttributes())
		for _, scope := range from.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				one := read(s)
				one.Resource, one.Service, one.ScopeVersion = resource, resource["service.name"], scope.GetScope().GetVersion()
				c.spans = append(c.spans, one)
			}
		}
	}
	return nil
}

func read(s *otlp.Span) Span {
	one := Span{
		Name: s.GetName(), Kind: s.GetKind().String(),
		Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Attributes: texts(s.GetAttributes()),
		Failed:     s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR, Status: s.GetStatus().GetMessage(),
		Began: s.GetStartTimeUnixNano(), Ended: s.GetEndTimeUnixNano(),
	}
	for _, l := range s.GetLinks() {
		one.Links = append(one.Links, hex.EncodeToString(l.GetSpanId()))
	}
	for _, e := range s.GetEvents() {
		one.Events = append(one.Events, e.GetName())
	}
	return one
}

func texts(attributes []*common.KeyValue) map[string]string {
	list := make(map[string]string, len(attributes))
	for _, a := range attributes {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			list[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			list[a.GetKey()] = fmt.Sprint(v.IntValue)
		default:
			list[a.GetKey()] = fmt.Sprintf("%T", v)
		}
	}
	return list
}

// Spans returns what has come so far, the oldest beginning first.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.spans)
	slices.SortStableFunc(list, func(a, b Span) int { return int(int64(a.Began) - int64(b.Began)) })
	return list
}

// Named returns the spans of that name.
func (c *Collector) Named(name string) []Span {
	return slices.DeleteFunc(c.Spans(), func(s Span) bool { return s.Name != name })
}

// Below returns the spans whose parent is s.
func (c *Collector) Below(s Span) []Span {
	return slices.DeleteFunc(c.Spans(), func(one Span) bool { return one.Parent != s.ID || one.Trace != s.Trace })
}

// Requests returns what was asked of the collector; bodies have been read.
func (c *Collector) Requests() []*http.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.requests)
}
