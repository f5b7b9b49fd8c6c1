package mux

import (
	"bufio"
	"io"
	"strconv"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

const (
	// backlog is how many streams may wait to be taken; each may have filled its first
	// window, so they count in what a session may hold. An initiator waits at the same
	// number, so an honest one is never refused for it.
	backlog = 256
	// maxPings is how many pings may wait for their answers. No end of version 1 sends any.
	maxPings = 512
	// readAhead is what is read at once where frames are small. The bodies of large ones
	// go to their streams directly.
	readAhead = 1 << 10
)

// read is the goroutine that reads frames; it ends with the connection, or ends that
// where the other end breaks the rules. It never waits for anything to be written: the
// acknowledgements that writers wait for come the same way.
func (s *Session) read() {
	r := bufio.NewReaderSize(s.conn, readAhead)
	var h header
	for {
		if _, err := io.ReadFull(r, h[:]); err != nil {
			return // the connection knows why
		}
		bad, err := s.frameRead(&h, r)
		if bad != nil {
			s.conn.Fail(bad)
		}
		if bad != nil || err != nil {
			return
		}
	}
}

// frameRead handles one frame whose header has been read. bad is what is wrong with it,
// err that of the connection.
func (s *Session) frameRead(h *header, r *bufio.Reader) (bad *wire.Error, err error) {
	if h.version() != 0 {
		return violation("yamux version " + strconv.Itoa(int(h.version())) + ", not 0"), nil
	}
	switch h.kind() {
	case typePing:
		if h.flags()&flagSYN != 0 && !s.control.pong(h.length()) {
			return violation("more than " + strconv.Itoa(maxPings) + " yamux pings wait for answers"), nil
		}
		if h.flags()&flagACK != 0 {
			s.signals.answered(h.length())
		}
		return nil, nil
	case typeGoAway:
		if h.length() != 0 {
			return violation("yamux GoAway for reason " + decimal(h.length())), nil
		}
		s.away.Store(true)
		return nil, nil
	case typeData, typeWindowUpdate:
		return s.streamFrame(h, r)
	}
	return violation("unknown yamux frame type " + strconv.Itoa(int(h.kind()))), nil
}

func violation(text string) *wire.Error { return wire.NewError(wire.Protocol, text) }

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

// streamFrame is frameRead for what is about a stream. Frames of streams that are gone are
// dropped: an end may write before it knows of the end.
func (s *Session) streamFrame(h *header, r *bufio.Reader) (bad *wire.Error, err error) {
	if h.flags()&flagSYN != 0 {
		if bad := s.opened(h.stream()); bad != nil {
			return bad, nil
		}
	}
	stream := s.find(h.stream())
	if h.flags()&flagACK != 0 && stream != nil {
		stream.taken()
	}
	switch {
	case h.kind() == typeWindowUpdate:
		if stream != nil && h.length() > 0 {
			stream.mayWrite(h.length())
		}
	case stream == nil:
		if _, err := io.CopyN(io.Discard, r, int64(h.length())); err != nil {
			return nil, err
		}
	default:
		if stream.keeps() {
			if bad := s.awaitMemory(); bad != nil {
				return bad, nil
			}
		}
		if bad, err := stream.receive(r, int(h.length())); bad != nil || err != nil {
			return bad, err
		}
	}
	if stream == nil {
		return nil, nil
	}
	switch {
	case stream.control && h.flags()&(flagRST|flagFIN) != 0:
		return violation("the control stream was closed"), nil
	case h.flags()&flagRST != 0:
		stream.rejected()
	case h.flags()&flagFIN != 0 && !stream.finished():
		return violation("stream " + decimal(h.stream()) + " has ended twice"), nil
	}
	return nil, nil
}

// memoryPatience is how long a session may hold its share of the memory without its readers
// taking anything. It is shorter than the silence after which the other end gives a connection
// up (docs/PROTOCOL.md, 3.5), so that it hears why.
const memoryPatience = 15 * time.Second

// awaitMemory waits while the session holds more than its share. The other end cannot send
// more meanwhile. What stands behind waits too, an acknowledgement included, so there is a
// bound: a session whose readers take nothing for that long has to end.
func (s *Session) awaitMemory() *wire.Error {
	if s.config.Received.Wait(s.conn.Done(), memoryPatience) || s.conn.Err() != nil {
		return nil // what came before the end is still delivered
	}
	return wire.NewError(wire.Limit, "the session holds its share of the memory, and nothing of it moves")
}

// opened makes a stream that the other end has opened. It waits to be taken.
func (s *Session) opened(id uint32) *wire.Error {
	if s.handle == nil || id%2 == 0 {
		return violation("stream " + decimal(id) + " may not be opened by this end")
	}
	stream := newStream(s, id)
	stream.holds = 2
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[id] != nil {
		return violation("duplicate stream " + decimal(id))
	}
	if len(s.waiting) >= backlog && s.signals.reject(id) {
		return nil
	}
	s.streams[id] = stream
	s.waiting = append(s.waiting, stream)
	s.takeLocked()
	if len(s.waiting) > backlog {
		return violation("more than " + strconv.Itoa(backlog) + " streams wait to be taken")
	}
	return nil
}
