package metrics

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/wire"
)

// panel is what the tests need of a panel of Grafana's dashboard model.
type panel struct {
	ID      int
	Title   string
	Type    string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr, RefID, LegendFormat string }
	Panels  []panel
}

func dashboard(t *testing.T) []panel {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "grafana", "sockmux.json"))
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		UID, Title string
		Panels     []panel
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	if board.UID == "" || board.Title == "" || len(board.Panels) == 0 {
		t.Fatalf("no dashboard: %+v", board)
	}
	var all []panel
	for _, p := range board.Panels {
		all = append(append(all, p), p.Panels...)
	}
	return all
}

// exposed gives the labels of every series name that a scrape has, "le" of histograms included.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	m := newFull("dev")
	m.Record(events.StreamAnswered{Code: wire.OK, Took: time.Millisecond})
	m.Record(denied)
	series := make(map[string][]string)
	line := regexp.MustCompile(`(?m)^([a-z_:]+)(?:\{(.*)\})? \S+$`)
	label := regexp.MustCompile(`([a-z_]+)="`)
	for _, match := range line.FindAllStringSubmatch(scrape(t, m), -1) {
		labels := []string{"job", "instance"} // Prometheus adds them
		for _, l := range label.FindAllStringSubmatch(match[2], -1) {
			labels = append(labels, l[1])
		}
		series[match[1]] = labels
	}
	return series
}

var (
	texts     = regexp.MustCompile(`"[^"]*"`)
	selectors = regexp.MustCompile(`\b([a-z_][a-z0-9_]*)\s*\{([^}]*)\}`)
	names     = regexp.MustCompile(`\b(?:sockmux|go|process)_[a-z0-9_]+`)
	grouping  = regexp.MustCompile(`\b(?:by|without)\s*\(([^)]*)\)`)
	matcher   = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	legend    = regexp.MustCompile(`\{\{\s*([a-z_]+)\s*\}\}`)
)

// Every name and label in every query is one that a scrape of this server has.
func TestDashboardQueries(t *testing.T) {
	series := exposed(t)
	queries := 0
	for _, p := range dashboard(t) {
		for _, target := range p.Targets {
			queries++
			expr := texts.ReplaceAllString(target.Expr, `""`)
			used := names.FindAllString(expr, -1)
			if len(used) == 0 {
				t.Errorf("%s: %q names no metric", p.Title, target.Expr)
			}
			var known []string // labels of all metrics of the query
			for _, name := range used {
				if _, ok := series[name]; !ok {
					t.Errorf("%s: %s is not exposed: %s", p.Title, name, target.Expr)
				}
				known = append(known, series[name]...)
			}
			for _, s := range selectors.FindAllStringSubmatch(expr, -1) {
				for _, l := range matcher.FindAllStringSubmatch(s[2], -1) {
					if !slices.Contains(series[s[1]], l[1]) {
						t.Errorf("%s: %s has no label %s", p.Title, s[1], l[1])
					}
				}
			}
			for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
				for l := range strings.SplitSeq(g[1], ",") {
					if l = strings.TrimSpace(l); l != "" && !slices.Contains(known, l) {
						t.Errorf("%s: %s is no label of what is grouped: %s", p.Title, l, target.Expr)
					}
				}
			}
			for _, l := range legend.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(known, l[1]) {
					t.Errorf("%s: the legend's %s is no label of %s", p.Title, l[1], target.Expr)
				}
			}
			if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
				t.Errorf("%s: brackets of %s", p.Title, target.Expr)
			}
			if strings.Contains(expr, "_total") && !strings.Contains(expr, "rate(") && !strings.Contains(expr, "increase(") {
				t.Errorf("%s: a counter without rate: %s", p.Title, target.Expr)
			}
		}
	}
	if queries < 15 {
		t.Errorf("only %d queries", queries)
	}
}

// Every metric of ours is on the dashboard, or it is asked why it is there.
func TestDashboardIsComplete(t *testing.T) {
	var all strings.Builder
	for _, p := range dashboard(t) {
		for _, target := range p.Targets {
			all.WriteString(target.Expr + "\n")
		}
	}
	for name := range exposed(t) {
		base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, namespace) && !strings.Contains(all.String(), base) {
			t.Errorf("%s is on no panel", name)
		}
	}
}

// Panels have their own numbers and do not overlap.
func TestDashboardLayout(t *testing.T) {
	taken, ids := make(map[[2]int]string), make(map[int]string)
	for _, p := range dashboard(t) {
		if other, double := ids[p.ID]; double {
			t.Errorf("%s and %s are both number %d", p.Title, other, p.ID)
		}
		ids[p.ID] = p.Title
		if p.Title == "" || p.GridPos.W == 0 || p.GridPos.H == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %+v", p)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, double := taken[[2]int{x, y}]; double {
					t.Fatalf("%s lies over %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}
