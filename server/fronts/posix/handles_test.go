package posix

import "testing"

// plug is a socket for tests of numbers.
type plug struct {
	stream
	done   bool
	closed int
}

func (p *plug) over() bool { return p.done }
func (p *plug) close()     { p.closed++ }

// TestHandles gives numbers of which none comes back soon.
func TestHandles(t *testing.T) {
	h := newHandles()
	first, _ := h.add(&plug{})
	if first != firstHandle {
		t.Errorf("the first is %d", first)
	}
	last := first
	for range 3 * handleNumbers {
		h.remove(last)
		fd, ok := h.add(&plug{})
		if !ok || fd == last || fd < firstHandle || fd >= firstHandle+handleNumbers {
			t.Fatalf("%d behind %d, %t", fd, last, ok)
		}
		last = fd
	}
	for range maxHandles - 1 {
		if _, ok := h.add(&plug{}); !ok {
			t.Fatal("there is no room")
		}
	}
	if fd, ok := h.add(&plug{}); ok {
		t.Errorf("%d is one too many", fd)
	}
	over := h.find(last).(*plug)
	over.done = true
	if _, ok := h.add(&plug{}); !ok || over.closed != 1 {
		t.Errorf("a socket that is over was closed %d times", over.closed)
	}
	kept := h.find(first)
	if kept == nil {
		kept = h.find(last + 1)
	}
	h.close()
	if kept != nil && kept.(*plug).closed != 1 {
		t.Errorf("close has closed it %d times", kept.(*plug).closed)
	}
	if _, ok := h.add(&plug{}); ok || h.find(last) != nil {
		t.Error("there are sockets behind the end")
	}
}
