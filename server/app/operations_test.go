package app

import (
	"log/slog"
	"testing"
)

func TestNoSinkOfTraces(t *testing.T) {
	ops := newOperations(nil, slog.New(slog.DiscardHandler))
	if len(ops.Sinks) != 3 || ops.traces() != nil {
		t.Error("there is a sink of traces, or spans are counted")
	}
}
