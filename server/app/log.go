package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/ops/oplog"
)

// flushLogTime is how long the last lines of the log may take at the end. A reader of
// standard error that has stopped must not keep the process.
const flushLogTime = time.Second

// serverLog is the log of a running server. No caller of it waits for the reader of the log.
type serverLog struct {
	*slog.Logger
	queue *oplog.Writer
}

// openLog returns a log that goes to w in the configured format and level. The caller closes it.
// Until then a reader of the log that dies does not take the process with it, which a write to a
// broken pipe otherwise does where the pipe is standard error.
func openLog(settings *config.Config, w io.Writer) serverLog {
	signal.Ignore(syscall.SIGPIPE)
	queue := oplog.NewWriter(w, func(to io.Writer, lost oplog.Lost) {
		newLogger(settings, w, to).Warn("lines of the log were lost", "queue_full", lost.Queue, "not_written", lost.Write)
	})
	return serverLog{newLogger(settings, w, queue), queue}
}

// close writes the last lines; err is why the server has ended, or nil.
func (l serverLog) close(err error) {
	if err != nil {
		fmt.Fprintln(l.queue, "sockmux:", err) // never fails
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushLogTime)
	defer cancel()
	l.queue.Close(ctx)
	signal.Reset(syscall.SIGPIPE)
}

// newLogger writes to w in the configured format and level. end is where the lines arrive.
func newLogger(settings *config.Config, end, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: settings.LogLevel}
	if settings.LogFormat == config.LogText || settings.LogFormat == config.LogAuto && isTerminal(end) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	options.ReplaceAttr = inSeconds
	return slog.New(slog.NewJSONHandler(w, options))
}

// inSeconds writes durations as seconds, the unit of the metrics: JSON has no units, and slog's own
// are nanoseconds.
func inSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return a
}

// isTerminal reports whether people are likely to read w as it is written. /dev/null is a character
// device too, where the format does not matter.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
