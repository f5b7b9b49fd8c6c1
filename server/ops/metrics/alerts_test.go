package metrics

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// examples has the files for Prometheus.
var examples = filepath.Join("..", "..", "..", "deploy", "examples")

// Every metric in the example's alerts is one that a scrape of this server has.
func TestAlerts(t *testing.T) {
	rules, err := os.ReadFile(filepath.Join(examples, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	series := exposed(t)
	alerts := regexp.MustCompile(`(?m)^ +expr: (.+)$`).FindAllStringSubmatch(string(rules), -1)
	if len(alerts) == 0 {
		t.Fatal("no alerts")
	}
	for _, alert := range alerts {
		used := names.FindAllString(alert[1], -1)
		if len(used) == 0 && !strings.HasPrefix(alert[1], "up{") { // Prometheus' own
			t.Errorf("%q names no metric", alert[1])
		}
		for _, name := range used {
			if _, ok := series[name]; !ok {
				t.Errorf("%s is not exposed: %s", name, alert[1])
			}
		}
	}
}

// Whatever can run out, fail or be lost has an alert.
func TestAlertsCover(t *testing.T) {
	rules, err := os.ReadFile(filepath.Join(examples, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	for _, name := range regexp.MustCompile(`[a-z][a-z_]+`).FindAllString(string(rules), -1) {
		used[name] = true
	}
	want := []string{"up", "sockmux_dial_duration_seconds_count", "sockmux_limit_refusals_total", "sockmux_log_lines_dropped_total", "process_max_fds"}
	for name := range exposed(t) {
		// Strangers' connections are at their limit whenever there are many strangers: what counts
		// is how many are evicted.
		if strings.HasPrefix(name, namespace) && strings.HasSuffix(strings.TrimSuffix(name, "_bytes"), "_max") && name != "sockmux_connections_max" {
			want = append(want, name)
		}
	}
	for _, name := range want {
		if !used[name] {
			t.Errorf("no alert uses %s", name)
		}
	}
}

// Prometheus' own tool has nothing to say against the examples and the metrics.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian's package prometheus)")
	}
	for _, test := range []struct {
		args []string
		in   string
	}{
		{args: []string{"check", "config", filepath.Join(examples, "prometheus.yml")}},
		{args: []string{"check", "rules", filepath.Join(examples, "alerts.yml")}},
		{args: []string{"check", "metrics"}, in: scrape(t, newFull("dev"))},
	} {
		command := exec.Command(promtool, test.args...)
		command.Stdin = strings.NewReader(test.in)
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %q: %v\n%s", test.args, err, out)
		} else if strings.Contains(test.args[1], "metrics") && len(out) > 0 {
			t.Errorf("promtool %q:\n%s", test.args, out)
		}
	}
}
