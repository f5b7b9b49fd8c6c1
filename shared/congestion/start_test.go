package congestion

import (
	"fmt"
	"testing"
	"time"
)

// idealStart returns how long TCP's slow start needs for that many bytes on the path: ten packets
// in the first round, twice as much in each that follows, and never more than the line takes.
func idealStart(bytes int, rate float64, delay time.Duration) time.Duration {
	const packets = 10 * 1448
	window, free, sent := float64(packets), 0.0, 0.0
	for round := 0; ; round++ {
		n := min(window, float64(bytes)-sent)
		free = max(free, float64(round)*delay.Seconds()) + n/rate
		if sent += n; sent >= float64(bytes) {
			return time.Duration((free + delay.Seconds()) * float64(time.Second))
		}
		window *= 2
	}
}

// TestStartIsNoRampOfItsOwn: the first bytes over a path need no longer than TCP's own slow start
// does.
func TestStartIsNoRampOfItsOwn(t *testing.T) {
	for _, line := range []struct {
		rate  float64
		delay time.Duration
	}{
		{1e9, time.Millisecond},
		{125e6, time.Millisecond},
		{12.5e6, 20 * time.Millisecond},
		{2.5e6, 100 * time.Millisecond},
		{1.25e6, 60 * time.Millisecond},
		{125e6, 20 * time.Millisecond},
		{125e6, 100 * time.Millisecond},
	} {
		for _, bytes := range []int{64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20} {
			for _, slow := range []bool{false, true} {
				t.Run(fmt.Sprintf("%.1fMBps/%v/%d KiB/slow %v", line.rate/1e6, line.delay, bytes>>10, slow), func(t *testing.T) {
					p := &path{rate: line.rate, delay: line.delay, slow: slow}
					f := p.add(0, limit)
					p.ask(f)
					for f.acked < bytes && p.now < 20*time.Second {
						p.run(p.now + time.Millisecond/8)
					}
					want := idealStart(f.acked, line.rate, line.delay)
					if f.acked < bytes || p.now > want+want/10 {
						t.Errorf("%v for the first %d KiB; TCP's slow start needs %v", p.now, f.acked>>10, want)
					}
				})
			}
		}
	}
}

// TestBusyPageEndsNoStart: single round trips that are long are those of a busy page. A queue makes
// all of them long.
func TestBusyPageEndsNoStart(t *testing.T) {
	for name, test := range map[string]struct {
		seldom bool
		active bool
	}{"every": {false, false}, "some": {true, true}} {
		w := New(limit)
		w.base.rtt = time.Millisecond
		for i := range 200 {
			queue := 40 * time.Millisecond
			if test.seldom && i%10 == 0 {
				queue = time.Millisecond
			}
			w.delivered += packet
			w.queueing(time.Duration(i)*time.Millisecond, queue)
		}
		if w.start.active != test.active {
			t.Errorf("%s round trip is long: start %v, want %v", name, w.start.active, test.active)
		}
	}
}

// TestBusyEndsEndNoStart: ends that are late for 3 to 20 ms, half of the time, do not end the start
// before the rate of the path is known.
func TestBusyEndsEndNoStart(t *testing.T) {
	const seeds, want = 8, 0.75
	for _, rate := range []float64{12.5e6, 125e6} {
		for _, delay := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
			t.Run(fmt.Sprintf("%.1fMBps/%v", rate/1e6, delay), func(t *testing.T) {
				below := 0
				for seed := range int64(seeds) {
					late := func(seed int64) func(time.Duration) time.Duration {
						return busy(seed, 3*time.Millisecond, 20*time.Millisecond)
					}
					p := &path{rate: rate, delay: delay, sender: late(seed), receiver: late(seed + seeds)}
					f := p.add(0, limit)
					p.ask(f)
					for f.window.start.active && p.now < 5*time.Second {
						p.run(p.now + time.Millisecond)
					}
					if f.window.rate() < want*rate {
						below++
					}
				}
				if below > 1 {
					t.Errorf("%d of %d starts end below %.2f of the rate", below, seeds, want)
				}
			})
		}
	}
}

// TestMessagesOfAShortPath: where a round trip is short the first messages are long already.
func TestMessagesOfAShortPath(t *testing.T) {
	for rtt, want := range map[time.Duration][2]int{ // message, window
		time.Millisecond:       {256 << 10, 1 << 20},
		5 * time.Millisecond:   {256 << 10, 1 << 20},
		10 * time.Millisecond:  {111408, 512 << 10},
		20 * time.Millisecond:  {32 << 10, 256 << 10},
		100 * time.Millisecond: {32 << 10, 256 << 10},
	} {
		w := New(limit)
		w.OnAck(rtt, w.OnSend(0, 0, 100, true), 100)
		if m, s := w.Message(limit), w.Size(); m != want[0] || s != want[1] {
			t.Errorf("round trip %v: messages of %d bytes and a window of %d, want %v", rtt, m, s, want)
		}
	}
}

// TestStallEndsNoStart: a pause of the path, as the repair of a loss is one, does not end the start
// before the rate of the path is known.
func TestStallEndsNoStart(t *testing.T) {
	const stall = 60 * time.Millisecond
	for _, delay := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
		for begins := delay; begins < 5*delay; begins += delay / 4 {
			p := &path{rate: 12.5e6, delay: delay, slow: true}
			f := p.add(0, limit)
			p.ask(f)
			p.at(begins, func() { p.stall = begins + stall })
			for f.window.start.active && p.now < 5*time.Second {
				p.run(p.now + time.Millisecond)
			}
			if rate := f.window.rate(); rate < 0.75*p.rate {
				t.Errorf("delay %v, pause after %v: the start ends at %.2f of the rate", delay, begins, rate/p.rate)
			}
		}
	}
}

// TestKeystrokesForgetNoRate: a transfer behind many small exchanges is no slower than TCP's slow
// start. The window is what it was at the end of the transfer before them.
func TestKeystrokesForgetNoRate(t *testing.T) {
	const exchanges = 5 * rounds
	for _, rate := range []float64{2.5e6, 12.5e6} {
		for _, delay := range []time.Duration{time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond} {
			p := &path{rate: rate, delay: delay, slow: true}
			f := p.add(0, limit)
			f.stop = 3 * time.Second
			p.run(10 * time.Second)
			for range exchanges {
				mark := f.window.OnSend(p.now, 0, 100, true)
				p.run(p.now + delay)
				f.window.OnAck(p.now, mark, 100)
			}
			began, before := p.now, f.acked
			f.stop, f.tcp.window = 0, firstPackets // TCP has rested
			p.fill(f)
			for f.acked-before < 1<<20 && p.now < began+20*time.Second {
				p.run(p.now + time.Millisecond/8)
			}
			took, want := p.now-began, idealStart(f.acked-before, rate, delay)
			if took > want+want/10 {
				t.Errorf("%.1f MB/s, %v: a MiB takes %v; TCP's slow start needs %v", rate/1e6, delay, took, want)
			}
		}
	}
}
