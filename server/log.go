package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/sockmux/sockmux/server/config"
)

// newLogger writes to w in the configured format and level.
func newLogger(settings *config.Config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: settings.LogLevel}
	if settings.LogFormat == config.LogText || settings.LogFormat == config.LogAuto && isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	options.ReplaceAttr = inSeconds
	return slog.New(slog.NewJSONHandler(w, options))
}

// inSeconds writes durations as seconds, the unit of the metrics: JSON has no units, and slog's own are nanoseconds.
func inSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.Float64Value(a.Value.Duration().Seconds())
	}
	return a
}

// isTerminal says whether people are likely to read w as it is written. /dev/null is a character device too, where the format does not matter.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
