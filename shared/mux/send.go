package mux

import (
	"errors"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/wire"
)

// sendState is the state of the half of a stream that this end writes. It follows the
// sending part of RFC 9000, section 3.1. Three things differ: an acceptor's half begins
// with its result, STOP ends the half with FIN and not with RESET, and RESET is sent
// behind the frame that is under way and is followed by FIN.
//
//	  acceptor                     initiator (its request is sent)
//	     |                             |
//	     v         Reply               |
//	unanswered ----------------+       |
//	  |    |                   v       v
//	  |    | STOP             open <---+
//	  |    v                   | | |
//	  |  unwanted --- Reply -->| | |     CloseWrite, STOP, RESET or a refusal of the peer:
//	  |    |                   | | +----> FIN, at once: done
//	  |    |                   | +------> FIN, behind a frame: stopping --> done
//	  |    |                   |
//	  +----+----- Reset -------+--------> RESET, at once: resetSent
//	                                or    RESET, behind a frame: resetting --> resetSent
//
//	resetSent -- RESET-DONE --> FIN: done
type sendState uint8

// The states of a send half.
const (
	sendUnanswered sendState = iota // the result is not sent
	sendUnwanted                    // likewise, and the peer takes nothing but the result
	sendOpen                        // bytes may be written
	sendStopping                    // FIN follows the frame that is under way
	sendResetting                   // RESET follows the frame that is under way
	sendResetSent                   // FIN follows RESET-DONE
	sendDone                        // FIN is sent, or the stream was rejected
)

// sendWork is what the goroutine does that writes.
type sendWork uint8

// The kinds of work.
const (
	workNone    sendWork = iota // no Write is under way
	workWaiting                 // a Write waits for the window or for its next frame
	workFrame                   // a frame is under way
)

// sendAction is what an event demands of the stream. The stream does it in the order of events.
type sendAction uint8

// The actions.
const (
	sendNothing sendAction = iota
	sendFIN
	sendRESET
)

// errUnanswered is what a Write before the Reply gets.
var errUnanswered = errors.New("mux: a write before the reply")

// sendHalf is the half of a stream that this end writes. The stream's lock guards it. Methods
// named after an event return what the event demands.
type sendHalf struct {
	state    sendState
	work     sendWork
	credit   int           // bytes that the peer takes at present
	written  uint64        // bytes in frames that are sent
	own      *wire.Error   // of Reset; nil: none
	peer     *wire.Error   // why the peer takes no more; nil: it does
	unwanted chan struct{} // closed when peer is set; nil: not asked for
}

// err returns why nothing can be written; nil: it can.
func (h *sendHalf) err() error {
	switch {
	case h.own != nil:
		return h.own
	case h.peer != nil:
		return h.peer
	case h.state == sendOpen:
		return nil
	case h.state == sendUnanswered:
		return errUnanswered
	}
	return closed.Err
}

// refuse notes why the peer takes no more.
func (h *sendHalf) refuse(err *wire.Error) {
	if h.peer != nil {
		return
	}
	h.peer = err
	if h.unwanted != nil {
		close(h.unwanted)
	}
}

// stopped returns a channel that is closed when the peer takes no more.
func (h *sendHalf) stopped() <-chan struct{} {
	if h.unwanted == nil {
		h.unwanted = make(chan struct{})
		if h.peer != nil {
			close(h.unwanted)
		}
	}
	return h.unwanted
}

// finish ends the half with FIN: at once, or behind the frame that is under way.
func (h *sendHalf) finish() sendAction {
	if h.work == workFrame {
		h.state = sendStopping
		return sendNothing
	}
	h.state = sendDone
	return sendFIN
}

// startReply reports whether the result is to be sent. If so, endReply follows.
func (h *sendHalf) startReply() bool {
	if h.work != workNone || h.state != sendUnanswered && h.state != sendUnwanted {
		return false
	}
	h.work = workFrame
	return true
}

// endReply notes that the result is sent. refusal is nil for the code ok.
func (h *sendHalf) endReply(refusal *wire.Error) sendAction {
	h.work = workNone
	switch {
	case h.state == sendUnanswered && refusal == nil:
		h.state = sendOpen
		return sendNothing
	case h.state == sendUnanswered:
		h.refuse(refusal)
		return h.finish()
	case h.state == sendUnwanted:
		return h.finish()
	}
	return h.settle()
}

// endFrame notes that a frame with n bytes is sent. work is what the Write does next.
func (h *sendHalf) endFrame(n int, work sendWork) sendAction {
	h.work = work
	h.written += uint64(n)
	return h.settle()
}

// settle does what had to wait for a frame.
func (h *sendHalf) settle() sendAction {
	switch h.state {
	case sendStopping:
		h.state = sendDone
		return sendFIN
	case sendResetting:
		h.state = sendResetSent
		return sendRESET
	default:
		return sendNothing
	}
}

// close is CloseWrite. Its error says why there is nothing to close.
func (h *sendHalf) close() (sendAction, error) {
	switch h.state {
	case sendUnanswered, sendUnwanted, sendOpen:
		return h.finish(), nil
	default:
		return sendNothing, h.err()
	}
}

// reset is Reset. It returns false if FIN is sent or due: then nothing can be reset.
func (h *sendHalf) reset(err *wire.Error) (action sendAction, ok bool) {
	switch h.state {
	case sendResetting, sendResetSent:
		return sendNothing, true
	case sendDone:
		return sendNothing, h.own != nil
	default:
		h.own = err
		h.state = sendResetting
		if h.work != workFrame {
			return h.settle(), true
		}
		return sendNothing, true
	}
}

// peerStopped is STOP of the peer: it takes no bytes, only the result.
func (h *sendHalf) peerStopped(err *wire.Error) sendAction {
	h.refuse(err)
	switch h.state {
	case sendUnanswered:
		h.state = sendUnwanted
	case sendOpen:
		return h.finish()
	default:
	}
	return sendNothing
}

// peerGone is RESET of the peer, or its refusal: it takes nothing.
func (h *sendHalf) peerGone(err *wire.Error) sendAction {
	h.refuse(err)
	switch h.state {
	case sendUnanswered, sendUnwanted, sendOpen:
		return h.finish()
	default:
		return sendNothing
	}
}

// resetDone is RESET-DONE of the peer: FIN cannot be mistaken for a clean end any more.
func (h *sendHalf) resetDone() sendAction {
	if h.state != sendResetSent {
		return sendNothing
	}
	h.state = sendDone
	return sendFIN
}

// rejected is yamux's RST.
func (h *sendHalf) rejected(err *wire.Error) {
	h.refuse(err)
	h.state = sendDone
}
