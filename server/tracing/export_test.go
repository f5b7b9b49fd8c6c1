package tracing

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A collector that is away for a night is a line a minute at most, with all that was lost since the last, and a line when it is back.
func TestComplaintsAreRare(t *testing.T) {
	var log bytes.Buffer
	e := &exporter{log: slog.New(slog.NewTextHandler(&log, nil)), endpoint: "http://otel.test/v1/traces"}
	now := time.Unix(1_000_000, 0)
	for range 600 { // ten minutes
		e.note(errors.New(strings.Repeat("away ", 1000)), 10, now)
		now = now.Add(time.Second)
	}
	if n := strings.Count(log.String(), "traces are not sent"); n != 10 {
		t.Errorf("%d lines", n)
	}
	if !strings.Contains(log.String(), "lost=10 ") || strings.Count(log.String(), "lost=600 ") != 9 || log.Len() > 10*(maxComplaint+200) {
		t.Errorf("log %s", &log)
	}
	log.Reset()
	e.note(nil, 10, now)
	e.note(nil, 10, now)
	if n := strings.Count(log.String(), "traces are sent again"); n != 1 {
		t.Errorf("log %s", &log)
	}
}
