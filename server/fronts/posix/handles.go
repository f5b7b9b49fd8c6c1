package posix

import "sync"

const (
	// firstHandle is the number of the first socket. Lower numbers are those of the program's
	// own files: programs compiled by Emscripten have both in one place.
	firstHandle = 512
	// handleNumbers is how many numbers are used. All are below 1024, the size of an fd_set.
	handleNumbers = 512
	// maxHandles is how many sockets a program has at once. A number that was given back is
	// not used again for as many sockets.
	maxHandles = 256
)

// handles are the sockets of a program by number. Any number of goroutines may use them.
type handles struct {
	mu      sync.Mutex
	sockets map[int32]socket
	last    int32 // the number that was given last, without firstHandle
	closed  bool
}

func newHandles() *handles {
	return &handles{sockets: make(map[int32]socket), last: handleNumbers - 1}
}

// add returns a number for a socket. ok is false if the program has all it may have. A socket
// of which nothing more can come or go makes room: close() does not reach the server.
func (h *handles) add(s socket) (fd int32, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, false
	}
	if len(h.sockets) >= maxHandles && !h.reapLocked() {
		return 0, false
	}
	for {
		h.last = (h.last + 1) % handleNumbers
		if _, used := h.sockets[firstHandle+h.last]; !used {
			h.sockets[firstHandle+h.last] = s
			return firstHandle + h.last, true
		}
	}
}

// reapLocked closes sockets that are over. It reports whether there was one.
func (h *handles) reapLocked() (some bool) {
	for fd, s := range h.sockets {
		if s.over() {
			delete(h.sockets, fd)
			s.close()
			some = true
		}
	}
	return some
}

// find returns the socket of a number; nil if there is none.
func (h *handles) find(fd int32) socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sockets[fd]
}

// remove forgets a socket, which the caller closes.
func (h *handles) remove(fd int32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sockets, fd)
}

// cutSends resets the sockets of which a send has not returned.
func (h *handles) cutSends() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.sockets {
		s.cutSend()
	}
}

// close closes all sockets, and takes no more.
func (h *handles) close() {
	h.mu.Lock()
	all := h.sockets
	h.sockets, h.closed = nil, true
	h.mu.Unlock()
	for _, s := range all {
		s.close()
	}
}
