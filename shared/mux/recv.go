package mux

import (
	"io"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/wire"
)

// recvState is the state of the half of a stream that this end reads. It follows the receiving
// part of RFC 9000, section 3.2. Three things differ: the half begins with a message (the
// result at an initiator, the request at an acceptor), FIN and RESET come behind all bytes, so
// that the size is known with the last byte, and FIN follows a RESET too.
//
//	              head ----------- CancelRead -----> headStopped
//	                | message                          | message
//	                v                                  v
//	              open ----------- CancelRead, Reset --> stopped
//	               | |                                 ^ |
//	         RESET | +--------- FIN -----> finished    | +-- FIN --> stoppedFinished
//	               v                          |        |                  ^
//	             reset -- FIN --> resetFinished -------+----- CancelRead -+
//
//	any -- yamux's RST --> rejected
type recvState uint8

// The states of a receive half.
const (
	recvHead            recvState = iota // the first message is incomplete
	recvHeadStopped                      // likewise, and what comes behind it is dropped
	recvOpen                             // bytes may come
	recvReset                            // RESET has come: the bytes that are here are the last
	recvStopped                          // what comes is dropped
	recvFinished                         // FIN has come: the bytes that are here are the last
	recvResetFinished                    // RESET and FIN have come
	recvStoppedFinished                  // what came was dropped, FIN has come
	recvRejected                         // the stream was rejected: nothing comes
)

// errRejected is what yamux's RST means where resets have a control stream.
var errRejected = wire.NewError(wire.Limit, "the other end has too many streams that wait")

// errNoHead is the outcome of a first message that did not come before the FIN.
var errNoHead = wire.NewError(wire.Protocol, "the stream ended before its first message")

// errClosedEarly is errNoHead where this end reads no more: then the peer may leave it out.
var errClosedEarly = wire.NewError(wire.Aborted, "the stream was closed before its result")

// recvHalf is the half of a stream that this end reads. The stream's lock guards it, but for
// head, which belongs to the goroutine that reads frames.
type recvHalf struct {
	state  recvState
	inbox  inbox
	window window
	read   uint64 // bytes given by Read

	head    head
	came    chan struct{} // closed when the first message has come, or will not
	headErr error         // why it will not; set before came is closed

	stopErr error       // what Read returns in the stopped states and when rejected
	peer    *wire.Error // of the peer's RESET or RST, in any state; nil: none
	size    uint64      // bytes before it
}

// err returns why no more will come than what is in the inbox; nil: more may come.
func (h *recvHalf) err() error {
	switch h.state {
	case recvHeadStopped, recvStopped, recvStoppedFinished, recvRejected:
		return h.stopErr
	case recvReset, recvResetFinished:
		return h.peer
	case recvFinished:
		return io.EOF
	default:
		return nil
	}
}

// begun reports whether the peer has written anything behind its first message.
func (h *recvHalf) begun() bool { return h.read > 0 || !h.inbox.empty() }

// drops reports whether bytes that come are dropped.
func (h *recvHalf) drops() bool {
	switch h.state {
	case recvHead, recvOpen, recvReset:
		return false
	default:
		return true
	}
}

// wantsHead reports whether the first message is incomplete.
func (h *recvHalf) wantsHead() bool { return h.state == recvHead || h.state == recvHeadStopped }

// finished reports whether nothing of the peer can come any more.
func (h *recvHalf) finished() bool { return h.state >= recvFinished }

// exhausted reports whether all bytes before a RESET were read.
func (h *recvHalf) exhausted() bool {
	return (h.state == recvReset || h.state == recvResetFinished) && h.read >= h.size
}

// noHead notes that the first message will not come, if it has not.
func (h *recvHalf) noHead(err error) {
	if h.wantsHead() {
		h.headErr = err
		close(h.came)
	}
}

// headCame notes that the first message is complete.
func (h *recvHalf) headCame() {
	switch h.state {
	case recvHead:
		h.state = recvOpen
	case recvHeadStopped:
		h.state = recvStopped
	default:
		return // it was given up meanwhile
	}
	close(h.came)
}

// refused notes that the first message is a refusal, which Read returns from now on.
func (h *recvHalf) refused(err *wire.Error) { h.drop(err) }

// stop is CancelRead. It reports whether the peer is to be told.
func (h *recvHalf) stop() (tell bool) {
	switch h.state {
	case recvHead:
		h.state, tell = recvHeadStopped, true
	case recvOpen:
		h.state, tell = recvStopped, true
	case recvReset:
		h.state = recvStopped
	case recvFinished, recvResetFinished:
		h.state = recvStoppedFinished
	default:
		return false
	}
	h.stopErr = closed.Err
	h.inbox.drop()
	return tell
}

// drop is a Reset by this end: Read returns its error from now on.
func (h *recvHalf) drop(err *wire.Error) {
	h.noHead(err)
	switch h.state {
	case recvHead, recvHeadStopped, recvOpen, recvReset, recvStopped:
		h.state = recvStopped
	case recvFinished, recvResetFinished, recvStoppedFinished:
		h.state = recvStoppedFinished
	case recvRejected:
		return
	}
	h.stopErr = err
	h.inbox.drop()
}

// peerReset is RESET of the peer: size bytes came before it.
func (h *recvHalf) peerReset(err *wire.Error, size uint64) {
	h.noHead(err)
	if h.peer == nil {
		h.peer, h.size = err, size
	}
	switch h.state {
	case recvHead, recvOpen:
		h.state = recvReset
	case recvHeadStopped:
		h.state = recvStopped
	default:
	}
}

// fin is FIN of the peer. It returns false if that had come before.
func (h *recvHalf) fin() bool {
	switch h.state {
	case recvHead, recvOpen:
		h.noHead(errNoHead)
		h.state = recvFinished
	case recvReset:
		h.state = recvResetFinished
	case recvHeadStopped, recvStopped:
		h.noHead(errClosedEarly)
		h.state = recvStoppedFinished
	case recvRejected:
	default:
		return false
	}
	return true
}

// rejected is yamux's RST.
func (h *recvHalf) rejected(err *wire.Error) {
	h.noHead(err)
	h.state, h.stopErr, h.peer = recvRejected, err, err
	h.inbox.drop()
}
