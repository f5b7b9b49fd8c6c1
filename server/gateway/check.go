package gateway

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/shared/wire"
)

// check answers a page that could not open its WebSocket (docs/PROTOCOL.md, 2). The browser hides
// from scripts why an upgrade failed. The answer is about the asking origin alone, and any page
// may read it: what it says, a page learns by trying to connect as well.
func (g *Gateway) check(w http.ResponseWriter, r *http.Request) {
	header := r.Header.Get("Origin")
	if header == "" {
		// A browser sends no Origin with a GET to the page's own server. A page of another origin
		// always sends one, or cannot read the answer.
		header = r.URL.Query().Get(wire.OriginKey)
	}
	said := checkAnswer{Origin: printable(header), Allowed: g.allowed(header, r)}
	if said.Allowed {
		said.Refused = g.recent.find(r.URL.Query().Get(wire.AttemptKey), time.Now())
	}
	shared(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said) // an error means that the peer is gone
}

// checkAnswer is what check says. js/src/engine/unreachable.js reads it.
type checkAnswer struct {
	Origin  string          `json:"origin"`
	Allowed bool            `json:"allowed"`
	Refused *refusedUpgrade `json:"refused"` // null: the upgrade did not come here, or was not refused
}

// refusedUpgrade is how a request was answered that was not upgraded.
type refusedUpgrade struct {
	Status int    `json:"status"`
	Text   string `json:"text"`
}

// maxAttempt is the longest such text that is kept. The script's has 16 bytes.
const maxAttempt = 64

const (
	// refusalsKept bounds the refusals that check may tell. A page asks at once.
	refusalsKept = 256
	// refusalFresh is how long a refusal is told.
	refusalFresh = 10 * time.Second
)

// refusals remembers the last refused upgrades. The zero value is empty. Any number of goroutines
// may use it.
type refusals struct {
	mu   sync.Mutex
	last [refusalsKept]keptRefusal
	next int
}

// keptRefusal is a refused upgrade.
type keptRefusal struct {
	attempt string
	at      time.Time
	refused refusedUpgrade
}

// add remembers the refusal of an upgrade that may be asked for.
func (k *refusals) add(r *http.Request, refused *events.UpgradeRefused, now time.Time) {
	attempt := r.URL.Query().Get(wire.AttemptKey)
	if attempt == "" || len(attempt) > maxAttempt {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last[k.next] = keptRefusal{attempt, now, refusedUpgrade{refused.Status, refused.Refusal.Text}}
	k.next = (k.next + 1) % refusalsKept
}

// find returns the fresh refusal of an attempt, or nil.
func (k *refusals) find(attempt string, now time.Time) *refusedUpgrade {
	if attempt == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.last {
		if kept := &k.last[i]; kept.attempt == attempt && now.Sub(kept.at) < refusalFresh {
			found := kept.refused
			return &found
		}
	}
	return nil
}
