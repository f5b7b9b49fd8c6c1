package hostile_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/product"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// handshake is short, so that what waits for it is over soon.
const handshake = 2 * time.Second

// keepalive is short likewise. The race detector makes peers slow that have thousands of streams,
// and they must not be taken for dead.
var keepalive = map[bool]time.Duration{false: 2 * time.Second, true: 6 * time.Second}[product.Race]

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// process is the assembled server. Each attack is a method or takes one.
type process struct{ *product.Server }

// startServer runs the server until the test ends, when it must have logged no error.
func startServer(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{product.Start(t, slices.Concat([]string{
		"--admin", "127.0.0.1:0", "--handshake-timeout", handshake.String(), "--keepalive", keepalive.String(), "--grace", "5s", "--log-format", "text",
	}, args)...)}
	t.Cleanup(func() {
		for _, line := range p.Log() {
			if strings.Contains(line, "level=ERROR") {
				t.Errorf("the server logged %s", line)
			}
		}
	})
	return p
}
