package pump

import "github.com/sockmux/sockmux/shared/buffer"

// Kind says what an event is about. internal/jstables writes the numbers for JavaScript.
type Kind uint32

// The kinds of events.
const (
	Opened  Kind = 1 // a, b: ports of the bound and of the remote address; data: the addresses, a NUL between them
	Data    Kind = 2 // data or body: bytes that were received
	EOF     Kind = 3 // the other end has ended its direction
	Written Kind = 4 // a: so many more bytes have left
	Closed  Kind = 5 // last of a stream. a: code; data: text
	State   Kind = 6 // id: phase; a: attempt; b: code of the reason; data: its text
	Notice  Kind = 7 // a: level; b: code; data: text
)

// The words by which the boundary passes an event to JavaScript.
const (
	WordKind = iota
	WordID
	WordA
	WordB
	WordAt // address of the data
	WordLength
	WordStirred // 1: goroutines are to be run soon
	Words       // how many there are
)

// The words by which the boundary passes the figures of a session.
const (
	WordRTT            = iota // in microseconds; 0: not measured
	WordUnacknowledged        // bytes
)

// Event is something to tell the page.
type Event struct {
	Kind Kind
	ID   uint32
	A, B uint32
	Data []byte
	Body buffer.Payload // nil: there is none. It belongs to the caller that asked for the event
}

func (e *Event) bytes() int {
	if e.Body != nil {
		return e.Body.Len()
	}
	return len(e.Data)
}

// queueBytes is how many bytes may wait for the page; readers wait beyond that. A few
// tasks' worth, so that a page that is busy does not slow the network down.
const queueBytes = 2 << 20

// queue holds the events in order.
type queue struct {
	events []Event
	head   int
	bytes  int
	room   []chan struct{} // readers that wait
	// stirred tells that readers have room again.
	stirred bool
}

func (q *queue) push(e Event) {
	q.events = append(q.events, e)
	q.bytes += e.bytes()
}

func (q *queue) pop() (Event, bool) {
	if q.head == len(q.events) {
		q.events, q.head = q.events[:0], 0
		return Event{}, false
	}
	e := q.events[q.head]
	q.events[q.head] = Event{}
	q.head++
	q.bytes -= e.bytes()
	if q.bytes < queueBytes {
		q.release()
	}
	return e, true
}

// release lets the readers that wait for room go on.
func (q *queue) release() {
	for _, waiting := range q.room {
		close(waiting)
		q.stirred = true
	}
	q.room = nil
}
