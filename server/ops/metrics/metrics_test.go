package metrics

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/listener/places"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/relay/resolver"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/server/session/limit"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func full() Sources {
	return Sources{
		Sessions:  func() session.Stats { return session.Stats{Sessions: 7, Detached: 2, Opened: 100, Resumed: 9} },
		Most:      func() (int, int) { return 1000, 500 },
		Memory:    func() Share { return Share{Used: 300, Max: 1 << 20} },
		Targets:   func() Share { return Share{Used: 60, Max: 2000} },
		Plain:     func() places.Stats { return places.Stats{Count: 3, Max: 256, Evicted: 17} },
		Strangers: func() places.Stats { return places.Stats{Count: 4, Max: 64} },
		Carriers:  func() int { return 5 },
		Active:    func() int { return 11 },
		Listeners: func() (int, int) { return 4, 6 },
		Bytes:     func() (up, down uint64) { return 1000, 2000 },
		Datagrams: func() relay.Datagrams {
			return relay.Datagrams{Up: 70, Down: 60, DroppedUp: map[string]uint64{"denied": 3}, DroppedDown: map[string]uint64{"late": 0}}
		},
		RTTs: func() []time.Duration {
			return []time.Duration{40 * time.Millisecond, 10 * time.Millisecond, 30 * time.Millisecond, 20 * time.Millisecond}
		},
		Resolver: func() resolver.Stats {
			return resolver.Stats{Hits: 50, Shared: 4, Lookups: 20, Found: 15, NotFound: 3, Failed: 2, Entries: 12}
		},
		Log:                func() oplog.Lost { return oplog.Lost{Queue: 31, Write: 4} },
		Traces:             func() (uint64, uint64) { return 77, 8 },
		CertificateExpires: func() time.Time { return time.Unix(1_900_000_000, 500_000_000) },
		Reloaded:           func() (bool, time.Time) { return false, time.Unix(1_800_000_000, 0) },
	}
}

// denied is a stream that the policy forbids.
var denied = events.StreamAnswered{
	Request: wire.Request{Kind: wire.TCP},
	Code:    wire.Denied, Took: time.Millisecond, Refusal: &events.Refusal{Stage: events.StageStream, Reason: "denied", Code: wire.Denied},
}

func watching(version string, sources Sources) *Metrics {
	m := New(version, []wire.Kind{wire.TCP, wire.Resolve})
	m.Watch(sources)
	return m
}

func newFull(version string) *Metrics { return watching(version, full()) }

// scrape returns the text that Prometheus would read.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, error %v: %s", w.Code, err, body)
	}
	return string(body)
}

func TestMetrics(t *testing.T) {
	m := newFull("v1.2.3")
	m.Record(events.StreamAnswered{Request: wire.Request{Kind: wire.TCP}, Code: wire.OK, Took: 20 * time.Millisecond})
	m.Record(denied)
	m.Record(denied)
	m.Record(events.StreamAnswered{Request: wire.Request{Kind: wire.TCP}, Code: wire.Code(999), Took: time.Second})
	for range 40 {
		m.Record(events.StreamEnded{Request: wire.Request{Kind: wire.TCP}, Code: wire.OK})
	}
	m.Record(events.StreamEnded{Request: wire.Request{Kind: wire.TCP}, Code: wire.Reset, Limit: limit.StreamLifetime})
	m.Record(events.StreamEnded{Request: wire.Request{Kind: wire.TCP}, Code: wire.Code(999)})
	m.Record(events.StreamStep{Step: events.StepDial, Code: wire.Refused, Err: errors.New("refused")})
	m.Record(events.StreamStep{Step: events.StepDial})
	m.Record(events.StreamStep{Step: events.StepPolicy, Code: wire.Denied, Err: errors.New("denied")})
	m.Record(events.Refused{Refusal: events.Refusal{Stage: events.StageStream, Reason: "opens_per_second", Limit: limit.Opens}})
	m.Record(events.UpgradeRefused{Refusal: events.Refusal{Stage: events.StageUpgrade, Reason: "origin"}})
	text := scrape(t, m)
	for _, want := range []string{
		`sockmux_sessions 7`, `sockmux_sessions_parked 2`, `sockmux_sessions_opened_total 100`, `sockmux_session_resumes_total 9`,
		`sockmux_sessions_max 1000`, `sockmux_sessions_parked_max 500`, `sockmux_session_memory_bytes 300`, `sockmux_session_memory_max_bytes 1.048576e+06`,
		`sockmux_target_connections 60`, `sockmux_target_connections_max 2000`,
		`sockmux_connections{kind="http"} 3`, `sockmux_connections_max{kind="http"} 256`, `sockmux_connections_evicted_total{kind="http"} 17`, `sockmux_connections_max{kind="websocket"} 64`,
		`sockmux_carriers 5`, `sockmux_streams 11`, `sockmux_listeners 4`, `sockmux_incoming_connections_waiting 6`,
		`sockmux_streams_ended_total{code="ok",kind="tcp"} 40`, `sockmux_streams_ended_total{code="reset",kind="tcp"} 1`, `sockmux_streams_ended_total{code="internal",kind="tcp"} 1`, `sockmux_dial_failures_total{code="refused"} 1`, `sockmux_dial_failures_total{code="timed_out"} 0`, `sockmux_streams_ended_total{code="idle",kind="tcp"} 0`,
		`sockmux_stream_bytes_total{direction="up"} 1000`, `sockmux_stream_bytes_total{direction="down"} 2000`,
		`sockmux_datagrams_total{direction="up"} 70`, `sockmux_datagrams_total{direction="down"} 60`,
		`sockmux_datagrams_dropped_total{direction="up",reason="denied"} 3`, `sockmux_datagrams_dropped_total{direction="down",reason="late"} 0`,
		`sockmux_stream_opens_total{code="ok",kind="tcp"} 1`, `sockmux_stream_opens_total{code="denied",kind="tcp"} 2`, `sockmux_stream_opens_total{code="internal",kind="tcp"} 1`, `sockmux_stream_opens_total{code="timed_out",kind="tcp"} 0`,
		`sockmux_dial_duration_seconds_bucket{outcome="ok",le="0.01"} 0`, `sockmux_dial_duration_seconds_bucket{outcome="ok",le="0.025"} 1`, `sockmux_dial_duration_seconds_count{outcome="failed"} 3`,
		`sockmux_refusals_total{reason="denied",stage="stream"} 2`, `sockmux_refusals_total{reason="origin",stage="upgrade"} 1`,
		`sockmux_limit_refusals_total{limit="opens_per_second"} 1`, `sockmux_limit_refusals_total{limit="stream_lifetime"} 1`, `sockmux_limit_refusals_total{limit="streams"} 0`,
		`sockmux_session_rtt_seconds{percentile="50"} 0.02`, `sockmux_session_rtt_seconds{percentile="90"} 0.04`, `sockmux_session_rtt_seconds{percentile="100"} 0.04`,
		`sockmux_resolver_requests_total{answered_by="cache"} 50`, `sockmux_resolver_requests_total{answered_by="underway"} 4`, `sockmux_resolver_requests_total{answered_by="lookup"} 20`,
		`sockmux_resolver_lookups_total{result="found"} 15`, `sockmux_resolver_lookups_total{result="not_found"} 3`, `sockmux_resolver_lookups_total{result="failed"} 2`,
		`sockmux_resolver_cache_entries 12`,
		`sockmux_log_lines_dropped_total{cause="queue"} 31`, `sockmux_log_lines_dropped_total{cause="write"} 4`,
		`sockmux_trace_spans_total{outcome="sent"} 77`, `sockmux_trace_spans_total{outcome="lost"} 8`,
		`sockmux_certificate_expires_timestamp_seconds 1.9000000005e+09`,
		`sockmux_config_last_reload_successful 0`, `sockmux_config_last_reload_timestamp_seconds 1.8e+09`,
	} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	if !regexp.MustCompile(`(?m)^sockmux_build_info\{go="go[^"]+",protocol="sockmux.v1",version="v1.2.3"\} 1$`).MatchString(text) {
		t.Error("no build info")
	}
	for _, want := range []string{"\ngo_goroutines ", "\nprocess_open_fds "} {
		if !strings.Contains(text, want) {
			t.Errorf("missing:%s", want)
		}
	}
}

// What is not there is absent rather than wrong.
func TestAbsent(t *testing.T) {
	sources := full()
	sources.CertificateExpires, sources.Traces, sources.RTTs = nil, nil, func() []time.Duration { return nil }
	sources.Reloaded = func() (bool, time.Time) { return true, time.Time{} }
	text := scrape(t, watching("dev", sources))
	for _, name := range []string{"sockmux_certificate_expires", "sockmux_session_rtt", "sockmux_trace", "sockmux_config_last_reload"} {
		if strings.Contains(text, name) {
			t.Errorf("%s is there", name)
		}
	}
}

// promlint has Prometheus's own rules for names, units and helps.
func TestLint(t *testing.T) {
	families, err := newFull("dev").registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, namespace) {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Labels are few and their values come from tables: no address, target or identity may become one.
func TestLabels(t *testing.T) {
	allowed := map[string][]string{"code": nil, "stage": nil, "limit": nil, "reason": nil, "direction": nil, "outcome": nil, "percentile": nil, "answered_by": nil, "cause": nil, "kind": nil, "result": nil, "version": nil, "go": nil, "protocol": nil, "le": nil}
	m := newFull("dev")
	m.Record(denied)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := 0
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), namespace) {
			continue
		}
		for _, metric := range family.GetMetric() {
			series += max(1, len(metric.GetHistogram().GetBucket()))
			for _, label := range metric.GetLabel() {
				if _, ok := allowed[label.GetName()]; !ok {
					t.Errorf("%s has the label %s", family.GetName(), label.GetName())
				}
			}
		}
	}
	if most := 5*len(wire.Codes()) + 2*len(dialBuckets) + 50; series > most {
		t.Errorf("%d series, want at most %d", series, most)
	}
}

// The table of the documentation has every metric, and no other.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "DEPLOYMENT.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "### Metrics")
	if !found {
		t.Fatal("no section about metrics")
	}
	table, _, _ = strings.Cut(table, "\nand those of")
	documented := make(map[string]bool)
	for _, name := range regexp.MustCompile("`(sockmux_[a-z_]+)`").FindAllStringSubmatch(table, -1) {
		documented[name[1]] = true
	}
	documented["sockmux_config_last_reload_timestamp_seconds"] = true // its name is cut short there
	families, err := newFull("dev").registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		name := family.GetName()
		if strings.HasPrefix(name, namespace) && !documented[name] && name != "sockmux_refusals_total" {
			t.Errorf("%s is not documented", name)
		}
		delete(documented, name)
	}
	delete(documented, "sockmux_refusals_total") // absent until something is refused
	for name := range documented {
		t.Errorf("%s is documented and does not exist", name)
	}
}

func TestNearestRank(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for q, want := range map[int]time.Duration{50: 50, 90: 90, 99: 99, 100: 100, 0: 1} {
		if got := nearestRank(hundred, q); got != want {
			t.Errorf("%d: %d, want %d", q, got, want)
		}
	}
	if got := nearestRank(slices.Repeat([]time.Duration{5}, 1), 50); got != 5 {
		t.Errorf("of one: %d", got)
	}
}
