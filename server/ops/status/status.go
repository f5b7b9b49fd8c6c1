// Package status is the page for people: what the server does at this moment and has done
// in the last minutes. It is served whole from the binary, asks for nothing elsewhere,
// and polls one JSON document.
package status

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/sockmux/sockmux/server/gateway/theme"
	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/session"
)

// How much of long lists the document has: more than people read, and little enough to be polled.
const (
	mostSessions = 50
	mostStreams  = 200
)

// Config says where figures come from. Each function may be called at any time by any
// goroutine, and returns at once.
type Config struct {
	Version   string
	ScriptURL string // what a page loads, for the snippet; empty: the page says how it is to be written

	Sessions func() (session.Stats, []session.Info)
	Streams  func(max int) (list []relay.Live, all int) // present ones, as relay.Relay.Streams
	Bytes    func() (up, down uint64)                   // of all streams since the start
	Carriers func() int
	Draining func() bool
}

// Status serves the page and its document. It is a sink of what it counts. All methods
// may be called at any time.
type Status struct {
	config  Config
	began   time.Time
	history history
	tally   tally
}

var _ events.Sink = (*Status)(nil)

// New returns a status that has begun now. The caller runs Run beside it.
func New() *Status {
	return &Status{began: time.Now(), tally: newTally()}
}

// Watch says where figures come from. It must be called once, before the first request and Run.
func (s *Status) Watch(config Config) { s.config = config }

//go:embed page
var page embed.FS

// read gives a file of the page, its own or one of the common look.
func read(name string) ([]byte, error) {
	content, err := page.ReadFile(path.Join("page", name))
	if errors.Is(err, fs.ErrNotExist) {
		return theme.Files.ReadFile(name)
	}
	return content, err
}

// policy is the page's Content-Security-Policy (https://www.w3.org/TR/CSP3/): its own
// files and its document.
var policy = strings.Join([]string{
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'",
	"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
}, "; ")

// types has what mime.TypeByExtension would take from files of the machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

const pathDocument = "/status.json"

// ServeHTTP answers GET and HEAD; its owner takes care of other methods.
func (s *Status) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	if r.URL.Path == pathDocument {
		s.document(w)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	content, err := read(name)
	if err != nil || !fs.ValidPath(name) || name == "." {
		http.Error(w, "not found: the status page is at /", http.StatusNotFound)
		return
	}
	header.Set("Content-Type", types[path.Ext(name)])
	header.Set("Content-Security-Policy", policy)
	w.Write(content) // an error means that the peer is gone
}

func (s *Status) document(w http.ResponseWriter) {
	text, err := json.Marshal(s.report(time.Now()))
	if err != nil {
		panic(err) // texts and finite numbers always encode
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(text) // an error means that the peer is gone
}
