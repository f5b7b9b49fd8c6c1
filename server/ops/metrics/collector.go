package metrics

import (
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sockmux/sockmux/server/listener/places"
)

// collector asks the sources at a scrape.
type collector struct{ sources Sources }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	descSessions = desc("sessions", "Sessions, those without a connection included.")
	descParked   = desc("sessions_parked", "Sessions that have lost their connection and are kept for it to come back.")
	descMost     = desc("sessions_max", "Sessions that there may be.")
	descParkMost = desc("sessions_parked_max", "Sessions that may be kept without a connection.")
	descMemory   = desc("session_memory_bytes", "Memory that sessions hold of the budget of --max-memory.")
	descMemMax   = desc("session_memory_max_bytes", "The budget of --max-memory.")
	descTargets  = desc("target_connections", "Connections to targets that sessions hold.")
	descTargMax  = desc("target_connections_max", "Connections to targets that the process's descriptors suffice for.")
	descConns    = desc("connections", "Connections without a session, by kind: http (not upgraded) or websocket (before its session).", "kind")
	descConnMax  = desc("connections_max", "Connections without a session that there may be.", "kind")
	descEvicted  = desc("connections_evicted_total", "Connections without a session that made room for newer ones.", "kind")
	descOpened   = desc("sessions_opened_total", "Sessions since the start.")
	descResumed  = desc("session_resumes_total", "How often a session has come back over a new connection.")
	descCarriers = desc("carriers", "WebSockets that are open.")
	descStreams  = desc("streams", "Streams that are served.")
	descListen   = desc("listeners", "Addresses that clients listen on, for connections and datagrams.")
	descWaiting  = desc("incoming_connections_waiting", "Incoming connections that clients have not accepted yet.")
	descBytes    = desc("stream_bytes_total", "Bytes that streams have carried: up to targets, down to pages.", "direction")
	descDgrams   = desc("datagrams_total", "Datagrams that udp streams have carried: up to targets, down to pages.", "direction")
	descDropped  = desc("datagrams_dropped_total", "Datagrams of udp streams that were dropped, by the direction that they had and the reason.", "direction", "reason")
	descRTT      = desc("session_rtt_seconds", "Round trips between server and page of the present sessions, smoothed, by percentile; absent without sessions.", "percentile")
	descNames    = desc("resolver_requests_total", "Names that streams wanted, by what answered them: cache, underway (a lookup that another had begun) or lookup.", "answered_by")
	descLookups  = desc("resolver_lookups_total", "Lookups that have ended, by result: found, not_found or failed.", "result")
	descCache    = desc("resolver_cache_entries", "Answers that the resolver remembers, those that are too old and not asked for since included.")
	descLost     = desc("log_lines_dropped_total", "Lines of the log that were not written, by cause: queue (its reader is too slow) or write (writing failed).", "cause")
	descSpans    = desc("trace_spans_total", "Spans for the collector of traces, by outcome: sent or lost.", "outcome")
	descExpires  = desc("certificate_expires_timestamp_seconds", "When the server's certificate ends, in Unix time.")
	descReloadOK = desc("config_last_reload_successful", "1 if the last reload of the configuration was taken, 0 if the old one stayed.")
	descReloadAt = desc("config_last_reload_timestamp_seconds", "When the configuration was last reloaded or was to be, in Unix time.")
)

// Describe implements prometheus.Collector. It names everything, so that a name that is
// used twice is found at the start.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descSessions, descParked, descOpened, descResumed, descCarriers, descStreams, descListen, descWaiting, descBytes, descDgrams, descDropped,
		descMost, descParkMost, descMemory, descMemMax, descTargets, descTargMax, descConns, descConnMax, descEvicted,
		descRTT, descNames, descLookups, descCache, descLost, descSpans, descExpires, descReloadOK, descReloadAt,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
	}
	sessions := c.sources.Sessions()
	gauge(descSessions, float64(sessions.Sessions))
	gauge(descParked, float64(sessions.Detached))
	mostSessions, mostParked := c.sources.Most()
	gauge(descMost, float64(mostSessions))
	gauge(descParkMost, float64(mostParked))
	memory, targets := c.sources.Memory(), c.sources.Targets()
	gauge(descMemory, float64(memory.Used))
	gauge(descMemMax, float64(memory.Max))
	gauge(descTargets, float64(targets.Used))
	gauge(descTargMax, float64(targets.Max))
	for kind, pool := range map[string]places.Stats{"http": c.sources.Plain(), "websocket": c.sources.Strangers()} {
		gauge(descConns, float64(pool.Count), kind)
		gauge(descConnMax, float64(pool.Max), kind)
		counter(descEvicted, pool.Evicted, kind)
	}
	counter(descOpened, sessions.Opened)
	counter(descResumed, sessions.Resumed)
	gauge(descCarriers, float64(c.sources.Carriers()))
	gauge(descStreams, float64(c.sources.Active()))
	listeners, waiting := c.sources.Listeners()
	gauge(descListen, float64(listeners))
	gauge(descWaiting, float64(waiting))
	up, down := c.sources.Bytes()
	counter(descBytes, up, "up")
	counter(descBytes, down, "down")
	datagrams := c.sources.Datagrams()
	counter(descDgrams, datagrams.Up, "up")
	counter(descDgrams, datagrams.Down, "down")
	for reason, count := range datagrams.DroppedUp {
		counter(descDropped, count, "up", reason)
	}
	for reason, count := range datagrams.DroppedDown {
		counter(descDropped, count, "down", reason)
	}
	names := c.sources.Resolver()
	counter(descNames, names.Hits, "cache")
	counter(descNames, names.Shared, "underway")
	counter(descNames, names.Lookups, "lookup")
	counter(descLookups, names.Found, "found")
	counter(descLookups, names.NotFound, "not_found")
	counter(descLookups, names.Failed, "failed")
	gauge(descCache, float64(names.Entries))
	lost := c.sources.Log()
	counter(descLost, lost.Queue, "queue")
	counter(descLost, lost.Write, "write")
	c.collectRTTs(gauge)
	if c.sources.Traces != nil {
		sent, lost := c.sources.Traces()
		counter(descSpans, sent, "sent")
		counter(descSpans, lost, "lost")
	}
	if c.sources.CertificateExpires != nil {
		gauge(descExpires, unix(c.sources.CertificateExpires()))
	}
	if c.sources.Reloaded != nil {
		if ok, at := c.sources.Reloaded(); !at.IsZero() {
			gauge(descReloadOK, map[bool]float64{true: 1}[ok])
			gauge(descReloadAt, unix(at))
		}
	}
}

// percentiles of the round trips. They are taken here, over the sessions of one moment: a
// histogram's counts may only grow, and sessions end.
var percentiles = []int{50, 90, 99, 100}

func (c collector) collectRTTs(gauge func(*prometheus.Desc, float64, ...string)) {
	rtts := c.sources.RTTs()
	if len(rtts) == 0 {
		return
	}
	slices.Sort(rtts)
	for _, p := range percentiles {
		gauge(descRTT, nearestRank(rtts, p).Seconds(), strconv.Itoa(p))
	}
}

// nearestRank is the smallest of the sorted values that is no less than so many percent of them.
func nearestRank(sorted []time.Duration, percentile int) time.Duration {
	rank := (percentile*len(sorted) + 99) / 100
	return sorted[max(rank, 1)-1]
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
