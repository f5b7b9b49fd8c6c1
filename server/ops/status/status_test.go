package status

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/server/gateway/theme"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newStatus returns a status of a server where nothing happens; change may change that.
func newStatus(change func(*Config)) *Status {
	config := Config{
		Version: "v1.2.3", ScriptURL: "https://tunnel.test/sockmux.js",
		Sessions: func() (session.Stats, []session.Info) { return session.Stats{}, nil },
		Streams:  func(int) ([]relay.Live, int) { return nil, 0 },
		Bytes:    func() (up, down uint64) { return 0, 0 },
		Carriers: func() int { return 0 }, Draining: func() bool { return false },
	}
	if change != nil {
		change(&config)
	}
	s := New()
	s.Watch(config)
	return s
}

func get(t *testing.T, s *Status, url string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w
}

func document(t *testing.T, s *Status) report {
	t.Helper()
	w := get(t, s, "/status.json")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	var r report
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFiles(t *testing.T) {
	s := newStatus(nil)
	for url, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/index.html": "text/html; charset=utf-8", "/main.js": "text/javascript; charset=utf-8",
		"/style.css": "text/css; charset=utf-8", "/palette.css": "text/css; charset=utf-8", "/icon.svg": "image/svg+xml",
	} {
		w := get(t, s, url)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != kind || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", url, w.Code, w.Header().Get("Content-Type"))
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %s", url, csp)
		}
	}
	for _, url := range []string{"/none", "/page/main.js", "/.", "/../status.go", "//main.js", "/main.js/", "/%2e%2e/status.go"} {
		if w := get(t, s, url); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", url, w.Code)
		}
	}
}

// Nothing of the page comes from elsewhere, and what it links to is there.
func TestNoOutsideAssets(t *testing.T) {
	var files []string
	for dir, in := range map[string]fs.FS{"page": page, ".": theme.Files} {
		entries, err := fs.ReadDir(in, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if slices.Contains(files, e.Name()) {
				t.Errorf("%s is there twice", e.Name())
			}
			files = append(files, e.Name())
		}
	}
	outside := regexp.MustCompile(`(?:https?:)?//[a-z0-9.-]+\.[a-z]+|@import|url\(`)
	inside := regexp.MustCompile(`(?:src|href)="([^"#]+)"|from '\./([^']+)'`)
	served := []string{"metrics", "debug/pprof/", "status.json"} // by package admin
	served = append(served, files...)
	for _, f := range files {
		text, err := read(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range outside.FindAllString(string(text), -1) {
			if found != "http://www.w3.org" && found != "//www.w3.org" { // SVG's name space, which nothing loads
				t.Errorf("%s: %s", f, found)
			}
		}
		for _, link := range inside.FindAllStringSubmatch(string(text), -1) {
			if name := link[1] + link[2]; !slices.Contains(served, name) && !strings.HasPrefix(name, "$") {
				t.Errorf("%s: %s is not served", f, name)
			}
		}
	}
}

func TestEmptyDocument(t *testing.T) {
	text := get(t, newStatus(nil), "/status.json").Body.String()
	if strings.Contains(text, "null") { // the page iterates over every list
		t.Errorf("a list is null: %s", text)
	}
}

// denied is a stream to a target that the policy forbids.
var denied = events.StreamAnswered{
	Client: events.Client{Session: "0102", Identity: "alice"}, Request: wire.Request{Kind: wire.TCP, Host: wire.ParseHost("10.0.0.1"), Port: 5432},
	Code: wire.Denied, Refusal: &events.Refusal{Stage: events.StageStream, Reason: "denied", Code: wire.Denied, Text: "a private address"},
}

func TestDocument(t *testing.T) {
	began := time.UnixMilli(1_700_000_000_000)
	s := newStatus(func(c *Config) {
		c.Sessions = func() (session.Stats, []session.Info) {
			return session.Stats{Opened: 9, Resumed: 4}, []session.Info{
				{ID: "0a0b", Peer: "192.0.2.1:99", Began: began, Detached: true},
				{ID: "0102", Identity: "alice", Peer: "192.0.2.2:99", Agent: "test/1", Began: began, Streams: 1, RTT: 1500 * time.Microsecond},
			}
		}
		c.Carriers = func() int { return 1 }
		c.Draining = func() bool { return true }
		c.Bytes = func() (up, down uint64) { return 0, 70 }
		c.Streams = func(int) ([]relay.Live, int) {
			return []relay.Live{{
				Number: 1, Client: events.Client{Session: "0102"}, Target: "db.test:5432", Remote: netip.MustParseAddrPort("198.51.100.7:5432"),
				State: relay.StateOpen, Down: 70, Began: began,
			}}, 1
		}
	})
	for code, n := range map[wire.Code]int{wire.OK: 5, wire.Reset: 2} {
		for range n {
			s.Record(events.StreamEnded{Code: code})
		}
	}
	s.Record(denied)
	s.Record(events.StreamAnswered{Code: wire.Refused}) // a port where nothing listens is no refusal of ours

	r := document(t, s)
	if r.Version != "v1.2.3" || r.ScriptURL != "https://tunnel.test/sockmux.js" || !r.Draining || r.Carriers != 1 || r.Down != 70 || r.Up != 0 {
		t.Errorf("%+v", r)
	}
	if got := fmt.Sprint(r.Ended); got != "[{ok no error 5} {reset the connection was reset 2}]" {
		t.Errorf("ended %s", got)
	}
	if r.Sessions.Live != 2 || r.Sessions.Parked != 1 || r.Sessions.Opened != 9 || r.Sessions.Resumed != 4 {
		t.Errorf("sessions %+v", r.Sessions)
	}
	want := sessionLine{ID: "0102", Identity: "alice", Peer: "192.0.2.2:99", Agent: "test/1", Began: began.UnixMilli(), Streams: 1, RTT: 1.5}
	if got := r.Sessions.List[0]; got != want { // the busiest first
		t.Errorf("session %+v", got)
	}
	line := r.Streams.List[0]
	if r.Streams.Live != 1 || line.Target != "db.test:5432" || line.Remote != "198.51.100.7:5432" || line.State != relay.StateOpen || line.Down != 70 || line.Session != "0102" {
		t.Errorf("streams %+v", r.Streams)
	}
	if got := fmt.Sprint(r.Refusals.Counts); got != "[{stream denied the policy forbids the target 1}]" {
		t.Errorf("counts %s", got)
	}
	recent := r.Refusals.Recent[0]
	if recent.At == 0 || recent.Session != "0102" || recent.Target != "10.0.0.1:5432" || recent.Text != "a private address" || recent.Identity != "alice" || recent.Reason != "denied" {
		t.Errorf("recent %+v", recent)
	}
}

func TestListsAreBounded(t *testing.T) {
	s := newStatus(func(c *Config) {
		c.Sessions = func() (session.Stats, []session.Info) { return session.Stats{}, make([]session.Info, 3*mostSessions) }
		c.Streams = func(most int) ([]relay.Live, int) { return make([]relay.Live, most), most + 7 }
	})
	for i := range 3 * recentRefusals {
		s.Record(events.UpgradeRefused{Refusal: events.Refusal{Stage: events.StageUpgrade, Reason: "origin", Text: fmt.Sprint(i)}})
	}
	r := document(t, s)
	if r.Sessions.Live != 3*mostSessions || len(r.Sessions.List) != mostSessions {
		t.Errorf("%d of %d sessions", len(r.Sessions.List), r.Sessions.Live)
	}
	if r.Streams.Live != mostStreams+7 || len(r.Streams.List) != mostStreams {
		t.Errorf("%d of %d streams", len(r.Streams.List), r.Streams.Live)
	}
	if list := r.Refusals.Recent; len(list) != recentRefusals || list[0].Text != fmt.Sprint(3*recentRefusals-1) || r.Refusals.Counts[0].Count != 3*recentRefusals {
		t.Errorf("%d refusals of %v", len(list), r.Refusals.Counts)
	}
}

func TestHistory(t *testing.T) {
	up, down, streams := uint64(0), uint64(0), 1
	s := newStatus(func(c *Config) {
		c.Bytes = func() (uint64, uint64) { return up, down }
		c.Streams = func(int) ([]relay.Live, int) { return nil, streams }
	})
	at := time.UnixMilli(1_700_000_000_000)
	s.sample(at)
	up, down = 10, 100
	s.sample(at.Add(step))
	streams = 0
	s.Record(denied)
	s.sample(at.Add(2 * step))
	h := document(t, s).History
	if h.Step != step.Milliseconds() || h.At != at.Add(2*step).UnixMilli() {
		t.Errorf("%+v", h)
	}
	if got := fmt.Sprint(h.Up, h.Down, h.Streams, h.Refused); got != "[0 10 0] [0 100 0] [1 1 0] [0 0 1]" {
		t.Errorf("history %s", got)
	}
	for i := range 2 * steps {
		s.sample(at.Add(time.Duration(i) * step))
	}
	if h = document(t, s).History; len(h.Up) != steps || slices.Max(h.Up) != 0 {
		t.Errorf("%d steps, %v", len(h.Up), h.Up)
	}
}

func TestRun(t *testing.T) {
	s := newStatus(nil)
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	tasks.Go(func() { s.Run(ctx) })
	cancel()
	tasks.Wait()
	if list, at := s.history.list(); len(list) != 1 || at.IsZero() {
		t.Errorf("%d samples", len(list))
	}
}
