package mux

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// sendEvent is what can happen to a send half.
type sendEvent struct {
	name string
	do   func(*sendHalf) sendAction
}

var (
	errPeer = wire.NewError(wire.Limit, "by the peer")
	errOwn  = wire.NewError(wire.Aborted, "by this end")
)

// sendEvents are all events. Those about a frame do nothing where no frame is under way.
var sendEvents = []sendEvent{
	{"reply ok", func(h *sendHalf) sendAction { return reply(h, nil) }},
	{"reply no", func(h *sendHalf) sendAction { return reply(h, errOwn) }},
	{"frame end", func(h *sendHalf) sendAction {
		if h.work != workFrame {
			return sendNothing
		}
		return h.endFrame(7, workNone)
	}},
	{"close", func(h *sendHalf) sendAction {
		action, _ := h.close()
		return action
	}},
	{"reset", func(h *sendHalf) sendAction {
		action, _ := h.reset(errOwn)
		return action
	}},
	{"STOP", func(h *sendHalf) sendAction { return h.peerStopped(errPeer) }},
	{"RESET", func(h *sendHalf) sendAction { return h.peerGone(errPeer) }},
	{"RESET-DONE", func(h *sendHalf) sendAction { return h.resetDone() }},
	{"RST", func(h *sendHalf) sendAction { h.rejected(errRejected); return sendNothing }},
}

func reply(h *sendHalf, refusal *wire.Error) sendAction {
	if !h.startReply() {
		return sendNothing
	}
	return h.endReply(refusal)
}

// sendNames are the states as the table writes them.
var sendNames = map[string]sendState{
	"unanswered": sendUnanswered, "unwanted": sendUnwanted, "open": sendOpen, "stopping": sendStopping,
	"resetting": sendResetting, "resetSent": sendResetSent, "done": sendDone,
}

// sendTable has a row for each state and a cell for each event: the next state and the action.
// A dash is no change.
var sendTable = []struct {
	cells string
	state sendState
	frame bool // one is under way
}{
	// ok       no       frame           close    reset           STOP     RESET    RESET-DONE RST
	{"open     done+FIN -               done+FIN resetSent+RESET unwanted done+FIN -          done", sendUnanswered, false},
	{"done+FIN done+FIN -               done+FIN resetSent+RESET -        done+FIN -          done", sendUnwanted, false},
	{"-        -        -               done+FIN resetSent+RESET done+FIN done+FIN -          done", sendOpen, false},
	{"-        -        -               stopping resetting       stopping stopping -          done", sendOpen, true},
	{"-        -        done+FIN        -        resetting       -        -        -          done", sendStopping, true},
	{"-        -        resetSent+RESET -        -               -        -        -          done", sendResetting, true},
	{"-        -        -               -        -               -        -        done+FIN   done", sendResetSent, false},
	{"-        -        -               -        -               -        -        -          -", sendDone, false},
	{"-        -        -               -        -               -        -        -          -", sendDone, true},
}

// cell reads a cell of a row for that state.
func cell(t *testing.T, state sendState, text string) (sendState, sendAction) {
	t.Helper()
	if text == "-" {
		return state, sendNothing
	}
	name, action, _ := strings.Cut(text, "+")
	next, ok := sendNames[name]
	if !ok {
		t.Fatalf("no state %q", name)
	}
	return next, map[string]sendAction{"": sendNothing, "FIN": sendFIN, "RESET": sendRESET}[action]
}

// sent makes a half in a state as it comes about, with the reason that belongs to it.
func sent(state sendState, frame bool) *sendHalf {
	h := &sendHalf{state: state}
	if frame {
		h.work = workFrame
	}
	switch state {
	case sendUnwanted, sendStopping:
		h.peer = errPeer
	case sendResetting, sendResetSent:
		h.own = errOwn
	default:
	}
	return h
}

// TestSendHalf visits every state with every event.
func TestSendHalf(t *testing.T) {
	seen := make(map[sendState]bool)
	for _, row := range sendTable {
		seen[row.state] = true
		cells := strings.Fields(row.cells)
		if len(cells) != len(sendEvents) {
			t.Fatalf("state %d: %d cells", row.state, len(cells))
		}
		for i, event := range sendEvents {
			h := sent(row.state, row.frame)
			action := event.do(h)
			next, due := cell(t, row.state, cells[i])
			if h.state != next || action != due {
				t.Errorf("state %d, frame %t, %s: state %d, action %d; want %s",
					row.state, row.frame, event.name, h.state, action, cells[i])
			}
			if err := h.err(); (err == nil) != (h.state == sendOpen) {
				t.Errorf("state %d, %s: in state %d a Write gets %v", row.state, event.name, h.state, err)
			}
			if h.state == sendResetSent && h.own == nil {
				t.Errorf("state %d, %s: a reset without a reason", row.state, event.name)
			}
		}
	}
	for state := sendUnanswered; state <= sendDone; state++ {
		if !seen[state] {
			t.Errorf("no row for state %d", state)
		}
	}
}

// TestSendReply: what happens while the result is on its way waits for it.
func TestSendReply(t *testing.T) {
	for _, test := range []struct {
		name    string
		event   func(*sendHalf) sendAction
		refusal *wire.Error
		want    string
	}{
		{"nothing", func(*sendHalf) sendAction { return sendNothing }, nil, "open"},
		{"nothing, refused", func(*sendHalf) sendAction { return sendNothing }, errOwn, "done+FIN"},
		{"STOP", func(h *sendHalf) sendAction { return h.peerStopped(errPeer) }, nil, "done+FIN"},
		{"STOP, refused", func(h *sendHalf) sendAction { return h.peerStopped(errPeer) }, errOwn, "done+FIN"},
		{"RESET", func(h *sendHalf) sendAction { return h.peerGone(errPeer) }, nil, "done+FIN"},
		{"reset", func(h *sendHalf) sendAction { a, _ := h.reset(errOwn); return a }, nil, "resetSent+RESET"},
		{"RST", func(h *sendHalf) sendAction { h.rejected(errRejected); return sendNothing }, nil, "done"},
		{"reply", func(h *sendHalf) sendAction { return reply(h, nil) }, nil, "open"},
	} {
		h := &sendHalf{}
		if !h.startReply() {
			t.Fatal("no reply to a request")
		}
		if action := test.event(h); action != sendNothing {
			t.Errorf("%s: action %d before the result is sent", test.name, action)
		}
		next, due := cell(t, sendOpen, test.want)
		if action := h.endReply(test.refusal); h.state != next || action != due {
			t.Errorf("%s: state %d, action %d; want %s", test.name, h.state, action, test.want)
		}
	}
}

// TestSendErrors: the reason of this end's reset wins over the peer's, and the first of the
// peer's wins over later ones.
func TestSendErrors(t *testing.T) {
	h := &sendHalf{state: sendOpen}
	stopped := h.stopped()
	if _, err := h.close(); err != nil || !errors.Is(h.err(), net.ErrClosed) {
		t.Errorf("after close: %v, %v", err, h.err())
	}
	h.peerStopped(errPeer)
	select {
	case <-stopped:
	default:
		t.Error("a stop does not show")
	}
	<-h.stopped()
	h.peerGone(errRejected)
	if h.err() != error(errPeer) {
		t.Errorf("after two ends of the peer: %v", h.err())
	}
	if _, ok := h.reset(errOwn); ok {
		t.Error("a half that has sent FIN was reset")
	}
	h = &sendHalf{state: sendOpen, peer: errPeer}
	if _, ok := h.reset(errOwn); !ok || h.err() != error(errOwn) {
		t.Errorf("after reset: %t, %v", ok, h.err())
	}
}
