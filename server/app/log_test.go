package app

import (
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/config"
)

func TestLogFormats(t *testing.T) {
	for format, want := range map[config.LogFormat]string{
		config.LogJSON: `"took":1.5`, config.LogAuto: `"took":1.5`, // what is not a terminal gets JSON
		config.LogText: "took=1.5s",
	} {
		out := new(servertest.Log)
		newLogger(&config.Config{LogFormat: format}, out, out).Info("done", "took", 1500*time.Millisecond)
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, out)
		}
	}
}
