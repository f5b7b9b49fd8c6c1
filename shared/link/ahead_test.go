package link

import (
	"testing"
	"testing/synctest"
)

// TestMessagesAhead holds how many messages a writer makes that nothing sends.
func TestMessagesAhead(t *testing.T) {
	for _, test := range []struct {
		name string
		most int // of a message
		bare bool
		want int
	}{
		{"longest", MaxSegment, true, ahead},
		{"shorter", MaxSegment / 2, true, 1},
		{"not bare", MaxSegment, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New(Config{})
				if test.bare {
					l.SendBare()
				}
				l.out.most = test.most
				made := 0
				put := func(b []byte) int { made++; return len(b) }
				header := func(int) []byte { return []byte("header") }
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					for l.Fill(1, test.most, put, header) == nil {
					}
				}()
				synctest.Wait()
				if made != test.want {
					t.Errorf("%d messages of %d bytes, want %d", made, test.most, test.want)
				}
				_ = l.Close()
				<-ended
			})
		})
	}
}
