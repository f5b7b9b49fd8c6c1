package status

import (
	"cmp"
	"slices"
	"time"

	"github.com/sockmux/sockmux/server/ops/events"
	"github.com/sockmux/sockmux/server/relay"
	"github.com/sockmux/sockmux/server/session"
	"github.com/sockmux/sockmux/shared/wire"
)

// report is the document. Times are milliseconds of Unix time, durations milliseconds.
type report struct {
	Version   string  `json:"version"`
	ScriptURL string  `json:"scriptURL,omitempty"`
	Now       int64   `json:"now"`
	Began     int64   `json:"began"`
	Draining  bool    `json:"draining"`
	Carriers  int     `json:"carriers"`
	Up        uint64  `json:"up"`
	Down      uint64  `json:"down"`
	Ended     []count `json:"ended"`

	Sessions sessions `json:"sessions"`
	Streams  streams  `json:"streams"`
	Refusals refusals `json:"refusals"`
	History  past     `json:"history"`
}

type count struct {
	Code    string `json:"code"`
	Meaning string `json:"meaning"`
	Count   uint64 `json:"count"`
}

type sessions struct {
	Live    int           `json:"live"`
	Parked  int           `json:"parked"`
	Opened  uint64        `json:"opened"`
	Resumed uint64        `json:"resumed"`
	List    []sessionLine `json:"list"`
}

type sessionLine struct {
	ID       string  `json:"id"`
	Identity string  `json:"identity,omitempty"`
	Peer     string  `json:"peer"`
	Agent    string  `json:"agent,omitempty"`
	Began    int64   `json:"began"`
	Parked   bool    `json:"parked"`
	Streams  int     `json:"streams"`
	RTT      float64 `json:"rtt,omitempty"`
}

type streams struct {
	Live int          `json:"live"`
	List []streamLine `json:"list"`
}

type streamLine struct {
	Number  uint64      `json:"number"`
	Session string      `json:"session"`
	Target  string      `json:"target"`
	Remote  string      `json:"remote,omitempty"`
	State   relay.State `json:"state"`
	Up      int64       `json:"up"`
	Down    int64       `json:"down"`
	Began   int64       `json:"began"`
	Opened  float64     `json:"opened,omitempty"`
}

type refusals struct {
	Counts []refusalCount `json:"counts"`
	Recent []refusalLine  `json:"recent"`
}

type refusalCount struct {
	Stage   events.Stage `json:"stage"`
	Reason  string       `json:"reason"`
	Meaning string       `json:"meaning,omitempty"`
	Count   uint64       `json:"count"`
}

type refusalLine struct {
	At       int64        `json:"at"`
	Stage    events.Stage `json:"stage"`
	Reason   string       `json:"reason"`
	Session  string       `json:"session,omitempty"`
	Identity string       `json:"identity,omitempty"`
	Peer     string       `json:"peer,omitempty"`
	Target   string       `json:"target,omitempty"`
	Text     string       `json:"text"`
}

// past has one number for each step; the last steps end at At.
type past struct {
	Step    int64    `json:"step"`
	At      int64    `json:"at"`
	Up      []uint64 `json:"up"`
	Down    []uint64 `json:"down"`
	Streams []int    `json:"streams"`
	Refused []uint64 `json:"refused"`
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// report gathers the document. The parts are not of one instant.
func (s *Status) report(now time.Time) report {
	ended, refused, last := s.tally.counts()
	r := report{
		Version: s.config.Version, ScriptURL: s.config.ScriptURL,
		Now: now.UnixMilli(), Began: s.began.UnixMilli(),
		Draining: s.config.Draining(), Carriers: s.config.Carriers(),
		Ended:    []count{},
		Sessions: s.sessions(), Streams: s.streams(), Refusals: refusalsOf(refused, last), History: s.past(),
	}
	r.Up, r.Down = s.config.Bytes()
	for _, code := range wire.Codes() {
		if n := ended[code]; n > 0 {
			r.Ended = append(r.Ended, count{code.String(), code.Meaning(), n})
		}
	}
	return r
}

// sessions lists those with most streams first, because those are looked for.
func (s *Status) sessions() sessions {
	stats, list := s.config.Sessions()
	slices.SortFunc(list, func(a, b session.Info) int {
		return cmp.Or(b.Streams-a.Streams, a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID))
	})
	out := sessions{Live: len(list), Opened: stats.Opened, Resumed: stats.Resumed, List: []sessionLine{}}
	for i, one := range list {
		if one.Detached {
			out.Parked++
		}
		if i < mostSessions {
			out.List = append(out.List, sessionLine{
				one.ID, one.Identity, one.Peer, one.Agent, one.Began.UnixMilli(), one.Detached, one.Streams, milliseconds(one.RTT),
			})
		}
	}
	return out
}

func (s *Status) streams() streams {
	list, all := s.config.Streams(mostStreams)
	out := streams{Live: all, List: []streamLine{}}
	for _, one := range list {
		line := streamLine{
			Number: one.Number, Session: one.Client.Session, Target: one.Target, State: one.State,
			Up: one.Up, Down: one.Down, Began: one.Began.UnixMilli(), Opened: milliseconds(one.Opened),
		}
		if one.Remote.IsValid() {
			line.Remote = one.Remote.String()
		}
		out.List = append(out.List, line)
	}
	return out
}

func refusalsOf(counts map[reason]uint64, last []recent) refusals {
	out := refusals{Counts: []refusalCount{}, Recent: []refusalLine{}}
	for r, n := range counts {
		out.Counts = append(out.Counts, refusalCount{r.stage, r.reason, meaning(r.reason), n})
	}
	slices.SortFunc(out.Counts, func(a, b refusalCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Reason, b.Reason))
	})
	for _, one := range last {
		out.Recent = append(out.Recent, refusalLine{
			one.at.UnixMilli(), one.Refusal.Stage, one.Refusal.Reason, one.Client.Session, one.Client.Name(), one.Client.Peer, one.Target, one.Refusal.Text,
		})
	}
	return out
}

// meaning explains a reason that is a code; the gateway's own reasons explain themselves.
func meaning(reason string) string {
	for _, code := range wire.Codes() {
		if code.String() == reason {
			return code.Meaning()
		}
	}
	return ""
}

func (s *Status) past() past {
	list, at := s.history.list()
	out := past{Step: step.Milliseconds(), At: at.UnixMilli(), Up: []uint64{}, Down: []uint64{}, Streams: []int{}, Refused: []uint64{}}
	for _, one := range list {
		out.Up, out.Down = append(out.Up, one.Up), append(out.Down, one.Down)
		out.Streams, out.Refused = append(out.Streams, one.Streams), append(out.Refused, one.Refused)
	}
	return out
}
