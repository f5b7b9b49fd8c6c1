package tracing

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// complainer is an exporter of a test, and its log.
func complainer() (*exporter, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return &exporter{queue: new(queue), log: slog.New(slog.NewTextHandler(log, nil)), endpoint: "http://otel.test/v1/traces"}, log
}

// A collector that is away for a night is a line a minute at most, with all that was lost
// since the last, and a line when it is back.
func TestComplaintsAreRare(t *testing.T) {
	e, log := complainer()
	now := time.Unix(1_000_000, 0)
	for range 600 { // ten minutes
		e.lost.Add(10)
		e.note(errors.New(strings.Repeat("away ", 1000)), now)
		now = now.Add(time.Second)
	}
	if n := strings.Count(log.String(), "traces are not sent"); n != 10 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(log.String(), "lost=10 ") || strings.Count(log.String(), "lost=600 ") != 9 || log.Len() > 10*(maxComplaint+200) {
		t.Errorf("log %s", log)
	}
	log.Reset()
	e.note(nil, now)
	e.note(nil, now)
	if n := strings.Count(log.String(), "traces are sent again"); n != 1 || !strings.Contains(log.String(), "lost=590\n") || strings.Count(log.String(), "\n") != 1 {
		t.Errorf("log %s", log)
	}
}

// One that fails now and then is no more than that.
func TestComplaintsOfAFlappingCollector(t *testing.T) {
	e, log := complainer()
	now := time.Unix(1_000_000, 0)
	for i := range 600 {
		var err error
		if i%2 == 0 {
			e.lost.Add(1)
			err = errors.New("busy")
		}
		e.note(err, now)
		now = now.Add(time.Second)
	}
	if n := strings.Count(log.String(), "\n"); n != 20 {
		t.Errorf("%d lines: %s", n, log)
	}
}

// Spans that find no room are told of, too.
func TestComplaintOfAnOverflow(t *testing.T) {
	e, log := complainer()
	e.queue.overflowed.Add(7)
	e.note(nil, time.Unix(1_000_000, 0))
	e.note(nil, time.Unix(2_000_000, 0))
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `lost=7 error="more spans than the collector takes in time"`) {
		t.Errorf("log %s", log)
	}
}
