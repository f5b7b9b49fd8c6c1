package client

import "testing"

// The pauses double from 250 ms to 10 s, and half of each is random, so that clients that
// lost the same server do not come back at the same moment.
func TestBackoff(t *testing.T) {
	longest := minBackoff
	for attempt := 2; attempt < 40; attempt++ {
		first, differ := backoff(attempt), false
		for range 100 {
			pause := backoff(attempt)
			if pause < longest/2 || pause > longest {
				t.Fatalf("attempt %d comes after %s, want %s to %s", attempt, pause, longest/2, longest)
			}
			differ = differ || pause != first
		}
		if !differ {
			t.Errorf("attempt %d comes after %s always", attempt, first)
		}
		longest = min(2*longest, maxBackoff)
	}
}
