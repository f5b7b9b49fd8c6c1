package operate_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
)

// The server warns of too few descriptors for --max-sessions. The hard limit counts, since Go
// raises the soft one to it.
func TestFewDescriptors(t *testing.T) {
	const message = "too few descriptors for --max-sessions"
	few := product.Options{Files: 300}.Start(t)
	if line := few.WaitLog(message); !strings.Contains(line, `"limit":300`) || !strings.Contains(line, `"WARN"`) {
		t.Errorf("log %s", line)
	}
	enough := product.Options{Files: 300}.Start(t, "--max-sessions", "20")
	enough.WaitLog(`"listening"`)
	if log := strings.Join(enough.Log(), "\n"); strings.Contains(log, message) {
		t.Errorf("20 sessions: log\n%s", log)
	}
	soft := product.Options{Wrap: []string{"sh", "-c", `ulimit -Sn 256 && ulimit -Hn 9000 && exec "$@"`, "sh"}}.Start(t)
	soft.WaitLog(`"listening"`)
	if log := strings.Join(soft.Log(), "\n"); strings.Contains(log, message) {
		t.Errorf("a soft limit of 256: log\n%s", log)
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", soft.PID()))
	if err != nil || !regexp.MustCompile(`Max open files +(8999|9000) +9000 `).Match(limits) {
		t.Errorf("limits %v\n%s", err, limits)
	}
}
