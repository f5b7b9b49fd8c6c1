package congestion

import (
	"testing"
	"time"
)

// TestIdleNeedsNoProbe: behind a pause the path is empty, so the first round trip is the base anew
// and the window is not cut for it.
func TestIdleNeedsNoProbe(t *testing.T) {
	p := &path{rate: 12.5e6, delay: 20 * time.Millisecond}
	f := p.add(0, limit)
	f.stop = 5 * time.Second
	p.run(35 * time.Second)
	before := f.window.Size()
	f.stop = 0
	p.fill(f)
	for end := p.now + time.Second; p.now < end; {
		p.run(p.now + time.Millisecond)
		if f.window.base.probing() || f.window.Size() < before/2 {
			t.Fatalf("%v behind the pause: window %d, before it %d, probe %v", p.now-35*time.Second, f.window.Size(), before, f.window.base.probing())
		}
	}
}
