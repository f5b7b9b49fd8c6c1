package product

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// RSS returns the resident memory in bytes, 0 if the process has ended or the system has no
// /proc.
func (s *Server) RSS() int64 { return s.status("VmRSS:") }

// PeakRSS returns the largest RSS so far.
func (s *Server) PeakRSS() int64 { return s.status("VmHWM:") }

// status returns a field of /proc/PID/status that is in kB, in bytes.
func (s *Server) status(field string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if words := bytes.Fields(line); len(words) == 3 && string(words[0]) == field {
			kB, _ := strconv.ParseInt(string(words[1]), 10, 64) // the kernel's own text
			return kB << 10
		}
	}
	return 0
}

// Descriptors returns how many files and sockets the process has open, 0 where RSS is 0.
func (s *Server) Descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID()))
	if err != nil {
		return 0
	}
	return len(entries)
}

// Figures are what the process takes.
type Figures struct {
	Goroutines, Descriptors int
	Heap, RSS               int64 // bytes; Heap is what a collection leaves
}

// String returns the figures for a test's log.
func (f Figures) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, heap %.1f MiB, RSS %.0f MiB",
		f.Goroutines, f.Descriptors, float64(f.Heap)/(1<<20), float64(f.RSS)/(1<<20))
}

var (
	goroutines = regexp.MustCompile(`total (\d+)`)
	heapAlloc  = regexp.MustCompile(`# HeapAlloc = (\d+)`)
)

// Measure returns the figures of a server with --admin, after a garbage collection. Pools
// give up what they hold at the second one: so the second of two calls is exact. It fails the
// test where the server does not answer.
func (s *Server) Measure(t testing.TB) Figures {
	t.Helper()
	return Figures{
		Heap:        number(t, heapAlloc, s.Admin(t, "/debug/pprof/heap?gc=1&debug=1")),
		Goroutines:  int(number(t, goroutines, s.Admin(t, "/debug/pprof/goroutine?debug=1"))),
		Descriptors: s.Descriptors(),
		RSS:         s.RSS(),
	}
}

func number(t testing.TB, pattern *regexp.Regexp, text string) int64 {
	t.Helper()
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in %.300s", pattern, text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Admin fetches a path from a server with --admin, over a connection of its own. It fails the
// test where the answer is not 200.
func (s *Server) Admin(t testing.TB, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.AdminURL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return string(body)
}

// Metric returns the value of a series of /metrics, written as there, with its labels. It
// fails the test where there is none.
func (s *Server) Metric(t testing.TB, series string) float64 {
	t.Helper()
	return metric(t, s.Admin(t, "/metrics"), series)
}

func metric(t testing.TB, text, series string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			value, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
	}
	t.Fatalf("no metric %s in\n%s", series, text)
	return 0
}

// Counts are what the server has at present.
type Counts struct {
	Sessions int // with and without a connection
	Parked   int // without a connection
	Streams  int
}

// Counts returns the counts of a server with --admin, from one look at /metrics.
func (s *Server) Counts(t testing.TB) Counts {
	t.Helper()
	text := s.Admin(t, "/metrics")
	return Counts{
		Sessions: int(metric(t, text, "sockmux_sessions")),
		Parked:   int(metric(t, text, "sockmux_sessions_parked")),
		Streams:  int(metric(t, text, "sockmux_streams")),
	}
}
