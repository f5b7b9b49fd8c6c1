package oplog_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/ops/oplog"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// textLog is a logger without times, and what it has written.
func textLog(level slog.Level) (*slog.Logger, *bytes.Buffer) {
	out := new(bytes.Buffer)
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), out
}

// Each event has its line, or none.
func TestLines(t *testing.T) {
	who := events.Client{Number: 1, Session: "0102", Peer: "192.0.2.1:9", Identity: "alice", Method: "token", Policy: "staff", Agent: "test/1"}
	request := wire.Request{Kind: wire.TCP, Host: wire.ParseHost("db.test"), Port: 5432}
	denied, _ := events.RefusalOf(events.StageStream, wire.NewError(wire.Denied, "no"))
	for _, test := range []struct {
		event events.Event
		want  string
	}{
		{events.SessionOpened{Client: who}, `level=INFO msg="session opened" session=0102 peer=192.0.2.1:9 identity=alice method=token policy=staff agent=test/1`},
		{events.SessionDetached{Client: who, Reason: errors.New("lost"), Streams: 3}, `level=INFO msg="session parked" session=0102 peer=192.0.2.1:9 reason=lost streams=3`},
		{events.SessionResumed{Client: who, Peer: "192.0.2.7:1", Streams: 3}, `level=INFO msg="session resumed" session=0102 peer=192.0.2.7:1 streams=3`},
		{events.SessionEnded{Client: who, Reason: errors.New("bye"), Streams: 2, Duration: 1234567 * time.Microsecond}, `level=INFO msg="session ended" session=0102 peer=192.0.2.1:9 reason=bye streams=2 duration=1.235s`},
		{events.SessionEnded{Client: who, Expired: true}, `level=INFO msg="session expired" session=0102 peer=192.0.2.1:9 streams=0`},
		{events.UpgradeRefused{Client: events.Client{Peer: "192.0.2.1:9"}, Status: 403, Refusal: events.Refusal{Reason: "origin", Text: "not here"}}, `level=WARN msg="connection refused" peer=192.0.2.1:9 status=403 reason=origin error="not here"`},
		{events.Refused{Subject: events.NewStream, Client: who, Request: request, Refusal: denied}, `level=WARN msg="stream refused" reason=denied code=denied peer=192.0.2.1:9 identity=alice session=0102 target=db.test:5432 error="denied: no"`},
		{events.StreamEnded{Client: who, Request: request, Code: wire.OK, Up: 1, Down: 2, Dial: time.Second, Duration: time.Minute, Remote: netip.MustParseAddrPort("198.51.100.1:5432")}, `level=INFO msg=stream session=0102 identity=alice peer=192.0.2.1:9 target=db.test:5432 code=ok up=1 down=2 dial=1s duration=1m0s remote=198.51.100.1:5432`},
		{events.StreamEnded{Client: who, Request: request, Code: wire.Limit, Limit: "bytes_per_day", Err: errors.New("spent")}, `level=INFO msg=stream session=0102 identity=alice peer=192.0.2.1:9 target=db.test:5432 code=limit up=0 down=0 dial=0s duration=0s limit=bytes_per_day error=spent`},
		{events.StreamEnded{Client: who, Request: request, Code: wire.Aborted, Unused: true}, ""},
		{events.StreamOpened{}, ""},
		{events.StreamStep{}, ""},
		{events.StreamAnswered{}, ""},
		{events.HandshakeFailed{}, ""},
	} {
		logger, out := textLog(slog.LevelInfo)
		oplog.NewSink(logger).Record(test.event)
		if got := strings.TrimSpace(out.String()); got != test.want {
			t.Errorf("%T:\n%s\nwant\n%s", test.event, got, test.want)
		}
	}
}
