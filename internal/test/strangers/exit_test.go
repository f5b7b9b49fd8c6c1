package strangers_test

import (
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
)

// systemd restarts the service after a crash, and not after wrong flags.
func TestExitCodes(t *testing.T) {
	const crash = 2 // of Go's runtime
	unit, err := os.ReadFile("../../../deploy/systemd/sockmux.service")
	if err != nil {
		t.Fatal(err)
	}
	prevented := regexp.MustCompile(`(?m)^RestartPreventExitStatus=(\d+)$`).FindSubmatch(unit)
	if prevented == nil {
		t.Fatal("the unit names no exit status that prevents a restart")
	}
	code, _, stderr := product.Run(t, "--no-such-flag")
	if want, _ := strconv.Atoi(string(prevented[1])); code != want || code == crash {
		t.Errorf("wrong flags: exit code %d, the unit has %d, a crash has %d\n%s", code, want, crash, stderr)
	}
}
