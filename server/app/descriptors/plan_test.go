package descriptors_test

import (
	"testing"

	"github.com/sockmux/sockmux/server/app/descriptors"
)

func TestDivide(t *testing.T) {
	for _, test := range []struct{ limit, sessions int }{
		{300, 1000}, {1024, 1000}, {4096, 10}, {65536, 1000}, {1 << 20, 100_000}, {0, 1000}, {256, 1},
	} {
		p := descriptors.Divide(test.limit, test.sessions)
		if sum := p.Plain + p.Strange + 2*p.Lookups + p.Sessions + p.Streams; sum > p.Limit {
			t.Errorf("%+v: %d descriptors are divided, beyond the limit", p, sum)
		}
		tooFew := p.Plain < 8 || p.Strange < 8 || p.Lookups < 4 || p.Streams < p.Limit/3
		if tooFew || p.Sessions > test.sessions {
			t.Errorf("%d descriptors, %d sessions: %+v", test.limit, test.sessions, p)
		}
	}
	want := descriptors.Plan{Limit: 300, Plain: 37, Strange: 18, Lookups: 9, Sessions: 50, Streams: 153}
	if got := descriptors.Divide(300, 1000); got != want {
		t.Errorf("300 descriptors: %+v, want %+v", got, want)
	}
}

func TestTinyLimitsLeaveSomethingOfEach(t *testing.T) {
	if p := descriptors.Divide(32, 1000); p.Plain < 8 || p.Strange < 8 || p.Streams < 8 || p.Sessions < 8 {
		t.Errorf("%+v", p)
	}
}

func TestNeeded(t *testing.T) {
	for _, sessions := range []int{1, 50, 1000, 100_000} {
		n := descriptors.Needed(sessions)
		if descriptors.Divide(n, sessions).Sessions != sessions || n > 1 && descriptors.Divide(n-1, sessions).Sessions == sessions {
			t.Errorf("%d sessions: %d descriptors are not the least number", sessions, n)
		}
	}
}
