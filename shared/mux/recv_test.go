package mux

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
)

// recvEvents are all that can happen to a receive half, by name. Each reports whether the peer
// is to be told, or false for a second FIN.
var recvEvents = []struct {
	name string
	do   func(*recvHalf) bool
}{
	{"message", func(h *recvHalf) bool {
		if h.wantsHead() {
			h.headCame()
		}
		return false
	}},
	{"CancelRead", func(h *recvHalf) bool { return h.stop() }},
	{"Reset", func(h *recvHalf) bool { h.drop(errOwn); return false }},
	{"RESET", func(h *recvHalf) bool { h.peerReset(errPeer, 9); return false }},
	{"FIN", func(h *recvHalf) bool { return h.fin() }},
	{"RST", func(h *recvHalf) bool { h.rejected(errRejected); return false }},
}

// recvNames are the states as the table writes them.
var recvNames = map[string]recvState{
	"head": recvHead, "headStopped": recvHeadStopped, "open": recvOpen, "reset": recvReset, "stopped": recvStopped,
	"finished": recvFinished, "resetFinished": recvResetFinished, "stoppedFinished": recvStoppedFinished,
	"rejected": recvRejected,
}

// recvTable has a row for each state, with what the state means to Read, and a cell for each
// event: the next state, with a plus if the event returns true. A dash is no change.
var recvTable = []struct {
	cells string
	state recvState
	drops bool
	err   error
}{
	// message CancelRead      Reset           RESET   FIN              RST
	{"open    headStopped+    stopped         reset   finished+        rejected", recvHead, false, nil},
	{"stopped -               stopped         stopped stoppedFinished+ rejected", recvHeadStopped, true, net.ErrClosed},
	{"-       stopped+        stopped         reset   finished+        rejected", recvOpen, false, nil},
	{"-       stopped         stopped         -       resetFinished+   rejected", recvReset, false, errPeer},
	{"-       -               -               -       stoppedFinished+ rejected", recvStopped, true, net.ErrClosed},
	{"-       stoppedFinished stoppedFinished -       -                rejected", recvFinished, true, io.EOF},
	{"-       stoppedFinished stoppedFinished -       -                rejected", recvResetFinished, true, errPeer},
	{"-       -               -               -       -                rejected", recvStoppedFinished, true, net.ErrClosed},
	{"-       -               -               -       rejected+        -", recvRejected, true, errRejected},
}

// received makes a half in a state as it comes about.
func received(state recvState) *recvHalf {
	h := &recvHalf{state: state, came: make(chan struct{})}
	if !h.wantsHead() {
		close(h.came)
	}
	switch state {
	case recvHeadStopped, recvStopped, recvStoppedFinished:
		h.stopErr = net.ErrClosed
	case recvReset, recvResetFinished:
		h.peer = errPeer
	case recvRejected:
		h.stopErr = errRejected
	default:
	}
	return h
}

// TestRecvHalf visits every state with every event. The first message has an outcome in every
// state but the two that wait for it, and exactly one: a second would panic.
func TestRecvHalf(t *testing.T) {
	seen := make(map[recvState]bool)
	for _, row := range recvTable {
		seen[row.state] = true
		h := received(row.state)
		if h.drops() != row.drops || !errors.Is(h.err(), row.err) || h.finished() != (row.state >= recvFinished) {
			t.Errorf("state %d: drops %t, %v, finished %t", row.state, h.drops(), h.err(), h.finished())
		}
		cells := strings.Fields(row.cells)
		if len(cells) != len(recvEvents) {
			t.Fatalf("state %d: %d cells", row.state, len(cells))
		}
		for i, event := range recvEvents {
			h := received(row.state)
			h.inbox.append(takeChunk(1))
			says := event.do(h)
			name, wantSays := strings.CutSuffix(cells[i], "+")
			want, known := recvNames[name]
			if name == "-" {
				want, known = row.state, true
			}
			if !known || h.state != want || says != wantSays {
				t.Errorf("state %d, %s: state %d, %t; want %s", row.state, event.name, h.state, says, cells[i])
			}
			select {
			case <-h.came:
				if h.wantsHead() {
					t.Errorf("state %d, %s: an outcome of the first message in state %d", row.state, event.name, h.state)
				}
			default:
				if !h.wantsHead() {
					t.Errorf("state %d, %s: no outcome of the first message in state %d", row.state, event.name, h.state)
				}
			}
			h.inbox.drop()
		}
	}
	for state := recvHead; state <= recvRejected; state++ {
		if !seen[state] {
			t.Errorf("no row for state %d", state)
		}
	}
}

// TestRecvHeadErrors: why a first message will not come.
func TestRecvHeadErrors(t *testing.T) {
	for _, test := range []struct {
		state recvState
		event int
		want  error
	}{
		{recvHead, 2, errOwn},
		{recvHead, 3, errPeer},
		{recvHead, 4, errNoHead},
		{recvHead, 5, errRejected},
		{recvHeadStopped, 2, errOwn},
		{recvHeadStopped, 3, errPeer},
		{recvHeadStopped, 4, errClosedEarly},
		{recvHeadStopped, 5, errRejected},
	} {
		h := received(test.state)
		recvEvents[test.event].do(h)
		if h.headErr != test.want {
			t.Errorf("state %d, %s: %v, want %v", test.state, recvEvents[test.event].name, h.headErr, test.want)
		}
	}
}

// TestRecvResetSize: the bytes before a RESET are given, and no more.
func TestRecvResetSize(t *testing.T) {
	h := received(recvOpen)
	h.peerReset(errPeer, 9)
	if h.read = 8; h.exhausted() {
		t.Error("a byte before the reset is missing")
	}
	if h.read = 9; !h.exhausted() {
		t.Error("all bytes before the reset were read")
	}
	h.fin()
	if !h.exhausted() || h.err() != error(errPeer) {
		t.Errorf("after FIN: %v", h.err())
	}
}
