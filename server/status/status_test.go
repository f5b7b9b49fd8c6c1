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

	"github.com/sockmux/sockmux/server/look"
	"github.com/sockmux/sockmux/server/observe"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quiet is a relay.Stream that does nothing but be there.
type quiet struct{ host string }

func (q quiet) Request() wire.Request         { return wire.Request{Kind: wire.TCP, Host: q.host, Port: 5432} }
func (q quiet) Reply(wire.Result) error       { return nil }
func (q quiet) Read(b []byte) (int, error)    { return len(b), nil }
func (q quiet) Write(b []byte) (int, error)   { return len(b), nil }
func (q quiet) WaitReadable()                 {}
func (q quiet) Fill(func([]byte) int) error   { return nil }
func (q quiet) ClosedCleanly() bool           { return false }
func (q quiet) Stopped() <-chan struct{}      { return nil }
func (q quiet) CloseWrite() error             { return nil }
func (q quiet) StopRead(wire.Code) error      { return nil }
func (q quiet) Reset(wire.Code, string) error { return nil }
func (q quiet) Close() error                  { return nil }

// newStatus returns a status of a server where nothing happens; change may change that.
func newStatus(change func(*Config)) *Status {
	config := Config{
		Version: "v1.2.3", ScriptURL: "https://tunnel.test/sockmux.js", Observer: observe.New(observe.Config{}),
		Sessions: func() Sessions { return Sessions{} }, Carriers: func() int { return 0 },
		Ended: func() map[wire.Code]uint64 { return nil }, Draining: func() bool { return false },
	}
	if change != nil {
		change(&config)
	}
	return New(config)
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
	for dir, in := range map[string]fs.FS{"page": page, ".": look.Files} {
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

func TestDocument(t *testing.T) {
	began := time.UnixMilli(1_700_000_000_000)
	observer := observe.New(observe.Config{})
	s := newStatus(func(c *Config) {
		c.Observer = observer
		c.Sessions = func() Sessions {
			return Sessions{Opened: 9, Resumed: 4, List: []Session{
				{ID: "0a0b", Peer: "192.0.2.1:99", Began: began, Parked: true},
				{ID: "0102", Identity: "alice", Peer: "192.0.2.2:99", Agent: "test/1", Began: began, Streams: 1, RTT: 1500 * time.Microsecond},
			}}
		}
		c.Carriers = func() int { return 1 }
		c.Ended = func() map[wire.Code]uint64 { return map[wire.Code]uint64{wire.OK: 5, wire.Reset: 2, wire.Idle: 0} }
		c.Draining = func() bool { return true }
	})
	live := observer.Observe(quiet{"db.test"}, observe.Who{Session: "0102"})
	defer live.End()
	if err := live.Reply(wire.Result{Remote: netip.MustParseAddrPort("198.51.100.7:5432")}); err != nil {
		t.Fatal(err)
	}
	_, _ = live.Write(make([]byte, 70)) // quiet takes everything
	refused := observer.Observe(quiet{"10.0.0.1"}, observe.Who{Session: "0102", Identity: "alice"})
	if err := refused.Reply(wire.Result{Code: wire.Denied, Text: "a private address"}); err != nil {
		t.Fatal(err)
	}
	refused.End()

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
	if r.Streams.Live != 1 || line.Target != "db.test:5432" || line.Remote != "198.51.100.7:5432" || line.State != observe.StateOpen || line.Down != 70 || line.Session != "0102" {
		t.Errorf("streams %+v", r.Streams)
	}
	if got := fmt.Sprint(r.Refusals.Counts); got != "[{stream denied the policy forbids the target 1}]" {
		t.Errorf("counts %s", got)
	}
	recent := r.Refusals.Recent[0]
	if recent.Target != "10.0.0.1:5432" || recent.Text != "a private address" || recent.Identity != "alice" || recent.Reason != "denied" {
		t.Errorf("recent %+v", recent)
	}
}

func TestListsAreBounded(t *testing.T) {
	observer := observe.New(observe.Config{})
	s := newStatus(func(c *Config) {
		c.Observer = observer
		c.Sessions = func() Sessions { return Sessions{List: make([]Session, 3*mostSessions)} }
	})
	for range mostStreams + 7 {
		defer observer.Observe(quiet{"db.test"}, observe.Who{}).End()
	}
	r := document(t, s)
	if r.Sessions.Live != 3*mostSessions || len(r.Sessions.List) != mostSessions {
		t.Errorf("%d of %d sessions", len(r.Sessions.List), r.Sessions.Live)
	}
	if r.Streams.Live != mostStreams+7 || len(r.Streams.List) != mostStreams {
		t.Errorf("%d of %d streams", len(r.Streams.List), r.Streams.Live)
	}
}

func TestHistory(t *testing.T) {
	observer := observe.New(observe.Config{})
	s := newStatus(func(c *Config) { c.Observer = observer })
	stream := observer.Observe(quiet{"db.test"}, observe.Who{})
	at := time.UnixMilli(1_700_000_000_000)
	s.sample(at)
	_, _ = stream.Write(make([]byte, 100)) // quiet takes everything
	_, _ = stream.Read(make([]byte, 10))   // and gives it
	s.sample(at.Add(step))
	stream.End()
	observer.Refuse(observe.Refusal{Stage: observe.StageUpgrade, Reason: "origin"})
	s.sample(at.Add(2 * step))
	h := document(t, s).History
	if h.Step != step.Milliseconds() || h.At != at.Add(2*step).UnixMilli() {
		t.Errorf("%+v", h)
	}
	// A stream that was given up is no refusal.
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
