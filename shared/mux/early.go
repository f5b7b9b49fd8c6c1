package mux

// early keeps news of streams that are not known: either the accepter has not taken the stream yet, or it is gone. Ids are never used twice, so what is stale
// does no harm; it is forgotten when the ring comes round.
type early struct {
	news map[uint32][]func(*Stream)
	ring []uint32 // ids in the order of their first news; 0: none
	next int
}

func (e *early) put(id uint32, act func(*Stream)) {
	if e.news == nil {
		e.news, e.ring = make(map[uint32][]func(*Stream)), make([]uint32, backlog)
	}
	if _, known := e.news[id]; !known {
		delete(e.news, e.ring[e.next])
		e.ring[e.next] = id
		e.next = (e.next + 1) % len(e.ring)
	}
	// A window, a FIN, a reset and a stop: more about one stream that is not known is of no use to anybody.
	if len(e.news[id]) < 4 {
		e.news[id] = append(e.news[id], act)
	}
}

func (e *early) take(id uint32) []func(*Stream) {
	news := e.news[id]
	delete(e.news, id)
	return news
}
