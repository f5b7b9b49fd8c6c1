package link

// Bounds of what a link keeps until the other end has acknowledged it.
const (
	// DefaultBound is what every link may keep: 40 MB/s at a round trip of 100 ms.
	DefaultBound = 4 << 20
	// DefaultMaxBound is what the bound grows to on a path that holds as much under way:
	// 640 MB/s at 100 ms.
	DefaultMaxBound = 64 << 20
)

// growLocked raises the bound where the window is about to come to it, which only happens
// on a path that carries so much in a round trip. n more bytes were acknowledged.
func (l *Link) growLocked(n int) {
	for l.window.Size()+n > l.bound-l.bound/4 && l.bound < l.config.MaxBound {
		more := min(l.bound, l.config.MaxBound-l.bound)
		if l.config.Memory.Over() {
			return
		}
		l.setBoundLocked(l.bound + more)
	}
}

// shrinkLocked gives back what the bound has grown by, unless it is still in use.
func (l *Link) shrinkLocked() {
	if l.bound == l.config.Bound || l.out.held() > l.config.Bound && l.ended == nil {
		return
	}
	l.setBoundLocked(l.config.Bound)
}

func (l *Link) setBoundLocked(bound int) {
	l.bound = bound
	l.window.SetLimit(bound)
}
