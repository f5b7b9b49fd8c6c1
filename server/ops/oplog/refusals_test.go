package oplog_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/shared/wire"
)

func refusedFrom(peer string, code wire.Code) events.Event {
	refusal, _ := events.RefusalOf(events.StageSession, wire.NewError(code, "no"))
	return events.Refused{Subject: events.NewSession, Client: events.Client{Peer: peer}, Refusal: refusal}
}

// In a second each network has one line in full for each kind of refusal, and one with a number.
func TestRefusalsShareLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, out := textLog(slog.LevelInfo)
		sink := oplog.NewSink(logger)
		for i := range 1000 {
			sink.Record(refusedFrom(fmt.Sprintf("192.0.2.1:%d", i), wire.Unauthorized))
			sink.Record(refusedFrom(fmt.Sprintf("[2001:db8::%x]:9", i), wire.Unauthorized))
		}
		sink.Record(refusedFrom("192.0.2.1:9", wire.Draining))
		sink.Record(refusedFrom("192.0.2.2:9", wire.Unauthorized))
		time.Sleep(2 * time.Second) // of the bubble's clock
		synctest.Wait()
		const session = `level=WARN msg="session refused" `
		want := session + `reason=unauthorized code=unauthorized peer=192.0.2.1:0 error="unauthorized: no"
` + session + `reason=unauthorized code=unauthorized peer=[2001:db8::0]:9 error="unauthorized: no"
` + session + `reason=draining code=draining peer=192.0.2.1:9 error="draining: no"
` + session + `reason=unauthorized code=unauthorized peer=192.0.2.2:9 error="unauthorized: no"
level=WARN msg="more refusals" of="session refused" reason=unauthorized network=192.0.2.1 count=999
level=WARN msg="more refusals" of="session refused" reason=unauthorized network=2001:db8::/64 count=999
`
		if out.String() != want {
			t.Errorf("log\n%s\nwant\n%s", out, want)
		}
		// The next second begins anew.
		out.Reset()
		sink.Record(refusedFrom("192.0.2.1:1", wire.Unauthorized))
		sink.Record(refusedFrom("192.0.2.1:2", wire.Unauthorized))
		sink.Close()
		if lines := strings.Count(out.String(), "\n"); lines != 2 || !strings.Contains(out.String(), "count=1\n") {
			t.Errorf("log\n%s", out)
		}
	})
}

// A client with many networks, and many clients at once, do not fill the log either.
func TestRefusalsOfManyNetworks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, out := textLog(slog.LevelInfo)
		sink := oplog.NewSink(logger)
		for i := range 10_000 {
			sink.Record(refusedFrom(fmt.Sprintf("[2001:db8:0:%x::1]:9", i), wire.Unauthorized))
		}
		sink.Close()
		if lines := strings.Count(out.String(), "\n"); lines != 101 || !strings.Contains(out.String(), `of="other networks and kinds" count=9900`) {
			t.Errorf("%d lines\n%.1000s", lines, out)
		}
	})
}

// The lines of streams that the server refuses are as few. Those of all others are written.
func TestRefusedStreamsShareLines(t *testing.T) {
	logger, out := textLog(slog.LevelInfo)
	sink := oplog.NewSink(logger)
	for range 1000 {
		sink.Record(events.StreamEnded{Client: events.Client{Peer: "192.0.2.1:9"}, Code: wire.Denied, Refused: true})
		sink.Record(events.StreamEnded{Client: events.Client{Peer: "192.0.2.1:9"}, Code: wire.Refused})
	}
	sink.Close()
	text := out.String()
	if denied, refused := strings.Count(text, "code=denied"), strings.Count(text, "code=refused"); denied != 1 || refused != 1000 {
		t.Errorf("%d lines of refusals of the server, %d of targets", denied, refused)
	}
	if !strings.Contains(text, `of=stream reason=denied network=192.0.2.1 count=999`) {
		t.Error("there is no line with the number")
	}
}
