package pump

import (
	"strconv"

	"github.com/sockmux/sockmux/shared/wire"
)

// maxNotices is how many notices may wait for the page. A server has one for people now and
// then; without a bound a hostile one fills the wasm's memory, which never shrinks.
const maxNotices = 32

// notices counts what TellNotice was given.
type notices struct {
	waiting int
	dropped int // since the last that was queued
}

// TellNotice queues a notice of the server. Beyond maxNotices it counts only; a last notice then
// gives the count.
func (p *Pump) TellNotice(level wire.Level, code wire.Code, text string) {
	p.mu.Lock()
	if p.notices.waiting >= maxNotices {
		p.notices.dropped++
		p.mu.Unlock()
		return
	}
	p.notices.waiting++
	p.mu.Unlock()
	p.tell(Event{Kind: Notice, A: uint32(level), B: uint32(code), Data: []byte(text)})
}

// tookNoticeLocked is called when the page has taken a notice.
func (p *Pump) tookNoticeLocked() {
	p.notices.waiting--
	if p.notices.waiting > 0 || p.notices.dropped == 0 {
		return
	}
	text := strconv.Itoa(p.notices.dropped) + " more notices came than the page could take"
	p.notices = notices{waiting: 1}
	p.queue.push(Event{Kind: Notice, A: uint32(wire.Warning), B: uint32(wire.Limit), Data: []byte(text)})
}
