package relay

import (
	"net"
	"net/netip"
	"sync"

	"github.com/sockmux/sockmux/shared/datagram"
)

// batchBytes is how many bytes of records are gathered before they are passed on.
const batchBytes = 16 << 10

// batches holds the memory of incoming datagrams: a batch, and behind it the next datagram.
var batches = sync.Pool{New: func() any {
	b := make([]byte, batchBytes+datagram.MaxHead+datagram.MaxPayload)
	return &b
}}

// incoming is what one socket receives, as records. It holds no memory while it waits, where the
// system allows that. It is for one goroutine.
//
// While the client takes nothing, datagrams wait in the system's receive buffer. What is beyond
// that buffer the system drops.
type incoming struct {
	datagrams *datagrams
	socket    *net.UDPConn
	reading   datagramReading
	memory    *[]byte
	used      int // bytes of records
}

// space returns where the next datagram goes; nil: the batch is full. add makes its record of it.
func (in *incoming) space() []byte {
	if in.memory == nil {
		in.memory = batches.Get().(*[]byte)
	}
	if in.used >= batchBytes {
		return nil
	}
	return (*in.memory)[in.used+datagram.MaxHead:] // the head goes before it
}

// add makes a record of a datagram that stands where space is.
func (in *incoming) add(n int, from netip.AddrPort) {
	d := in.datagrams
	r := datagram.Record{Payload: (*in.memory)[in.used+datagram.MaxHead:][:n]}
	if !d.connected.IsValid() {
		from = netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port())
		as, known := d.peers.from(from)
		if !known && d.senders != nil {
			d.senders.note(from)
			as, known = datagram.PeerAt(from), true
		}
		if !known {
			d.counts.drop(droppedStranger)
			return
		}
		r.Peer = as
	}
	b, err := r.Append((*in.memory)[:in.used])
	if err != nil { // jumbograms (RFC 2675)
		d.counts.drop(droppedLate)
		return
	}
	in.used = len(b)
	d.counts.down.Add(1)
}

// release gives the memory back, when the records are not needed any more.
func (in *incoming) release() {
	in.used = 0
	if in.memory != nil {
		batches.Put(in.memory)
		in.memory = nil
	}
}
