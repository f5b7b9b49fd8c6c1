package posix

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// datagrams is a socket of UDP. Its stream is opened when it is first used, and again by a
// connect. Datagrams that no recv takes are dropped by the relay.
type datagrams struct {
	base

	mu            sync.Mutex
	conn          *local.Stream // nil: there is none yet
	bound         bool          // conn is at a port of the program's choice, and is kept by connect
	connected     bool          // to remote, the only peer
	local, remote netip.AddrPort
	gone          bool
	waits         chan struct{} // closed, and made anew, when there is another conn, or close was called

	readShut, writeShut atomic.Bool
	report              atomic.Int32 // the error number of an earlier datagram

	// Whose turn it is to receive guards these.
	from    *local.Stream // whose bytes the decoder has
	decoder datagram.Decoder
	come    []datagram.Record // in the order in which they came
	held    int
}

// maxAhead is how many bytes of datagrams are decoded before they are wanted.
const maxAhead = 128 << 10

func (b *bridge) newDatagrams(family, protocol int32) *datagrams {
	d := &datagrams{waits: make(chan struct{})}
	d.bridge, d.family, d.kind, d.protocol = b, family, typeDatagram, protocol
	return d
}

func (d *datagrams) names() (local, remote netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.local, d.remote
}

func (d *datagrams) changed() {}

func (d *datagrams) over() bool { return false }

func (d *datagrams) pending() errno {
	d.look()
	return d.report.Swap(0)
}

// replace makes a stream that of the socket, and gives up the one before; nil: the socket has
// none. The stream is connected if remote is valid. It returns false if the socket was closed.
func (d *datagrams) replace(conn *local.Stream, local, remote netip.AddrPort, bound bool) bool {
	d.mu.Lock()
	if d.gone {
		d.mu.Unlock()
		return false
	}
	before := d.conn
	d.conn, d.local, d.remote, d.connected, d.bound = conn, local, remote, remote.IsValid(), bound
	close(d.waits)
	d.waits = make(chan struct{})
	d.mu.Unlock()
	if before != nil {
		d.discard(before)
	}
	return true
}

// discard gives up a stream. What was sent is delivered.
func (d *datagrams) discard(conn *local.Stream) {
	conn.SetReadDeadline(past)
	_ = conn.CancelRead(wire.Aborted) // never fails
	d.after(&d.sending, func() {
		_ = conn.Close() // no one is told
		conn.SetReadDeadline(time.Time{})
	})
}

func (d *datagrams) close() {
	d.readShut.Store(true)
	d.writeShut.Store(true)
	d.replace(nil, netip.AddrPort{}, netip.AddrPort{}, false)
	d.mu.Lock()
	again := d.gone
	d.gone = true
	d.mu.Unlock()
	if again {
		return
	}
	d.after(&d.receiving, d.forget)
}

// forget drops what has come.
func (d *datagrams) forget() {
	d.bridge.out.Hold(-d.held)
	d.come, d.held, d.decoder = nil, 0, datagram.Decoder{}
}

// bind implements socket.
func (d *datagrams) bind(ctx context.Context, address []byte) errno {
	ap, e := d.address(address)
	if e != 0 {
		return e
	}
	d.mu.Lock()
	used := d.conn != nil
	d.mu.Unlock()
	if used {
		return wire.EINVAL
	}
	if ap.Port() == 0 && ap.Addr().IsUnspecified() {
		return d.openAny(ctx)
	}
	return d.openUnconnected(ctx, d.bindRequest(wire.UDPBound, ap))
}

// openAny opens a stream at a port of the server's choice, to which no stranger may send.
func (d *datagrams) openAny(ctx context.Context) errno {
	return d.openUnconnected(ctx, wire.Request{Kind: wire.UDP})
}

// openUnconnected opens a stream that is not connected.
func (d *datagrams) openUnconnected(ctx context.Context, request wire.Request) errno {
	opened, result, err := d.bridge.ask(ctx, request)
	result.Remote = netip.AddrPort{}
	return d.opened(opened, result, err, request.Kind == wire.UDPBound)
}

// openThen is openAny that does not wait.
func (d *datagrams) openThen(answered func(errno)) {
	new(dialing).start(d.bridge.tunnel, wire.Request{Kind: wire.UDP}, func(opened *local.Stream, result wire.Result, err error) {
		result.Remote = netip.AddrPort{}
		answered(d.opened(opened, result, err, false))
	})
}

// opened makes a stream that of the socket. It returns the error number where there is none.
func (d *datagrams) opened(opened *local.Stream, result wire.Result, err error, bound bool) errno {
	switch {
	case err != nil && d.bridge.life.Err() != nil:
		return eEndedBridge
	case err != nil:
		return errnoOf(local.CodeOf(err))
	}
	if !d.replace(opened, result.Bound, result.Remote, bound) {
		_ = opened.Close() // nothing was sent
		return wire.EBADF
	}
	return 0
}

// connect implements socket.
func (d *datagrams) connect(address []byte, answered func(errno)) {
	if len(address) >= 2 && calls.Family(address) == calls.AFUnspec {
		d.mu.Lock()
		connected := d.connected
		d.mu.Unlock()
		if !connected || d.keepTo(netip.AddrPort{}) {
			answered(0)
			return
		}
		d.openThen(answered)
		return
	}
	target, e := d.address(address)
	switch {
	case e != 0:
		answered(e)
	case target.Port() == 0:
		answered(wire.EINVAL)
	case d.keepTo(target):
		answered(0)
	default:
		d.bridge.open(new(dialing), wire.Request{Kind: wire.UDP}, target, func(opened *local.Stream, result wire.Result, err error) {
			answered(d.opened(opened, result, err, false))
		})
	}
}

// keepTo connects a bound socket to a peer, or to none if the peer is not valid. The socket keeps
// its port, so the peer is checked with the first datagram. It returns false if it is not bound.
func (d *datagrams) keepTo(peer netip.AddrPort) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bound {
		d.remote, d.connected = peer, peer.IsValid()
	}
	return d.bound
}

func (d *datagrams) shutdown(how int32) errno {
	d.mu.Lock()
	conn, connected := d.conn, d.connected
	d.mu.Unlock()
	if !connected {
		return wire.ENOTCONN
	}
	switch how {
	case shutRead:
		d.readShut.Store(true)
		conn.SetReadDeadline(past)
	case shutWrite:
		d.writeShut.Store(true)
	}
	return 0
}

func (d *datagrams) send(ctx context.Context, place *turn, data []byte, flags int32, to []byte) (int, errno) {
	switch {
	case flags&flagOOB != 0:
		return 0, eOpNotSupp
	case flags&^sendFlags != 0:
		return 0, wire.EINVAL
	case d.writeShut.Load():
		return 0, wire.EPIPE
	case len(data) > datagram.MaxPayload:
		return 0, eMsgSize
	}
	record := datagram.Record{Payload: data}
	if to != nil {
		ap, e := d.address(to)
		switch {
		case e != 0:
			return 0, e
		case ap.Port() == 0:
			return 0, wire.EINVAL
		}
		record.Peer = datagram.PeerAt(ap)
	}
	if !place.wait(ctx) {
		return 0, eEndedBridge
	}
	conn, peer, e := d.toSend(ctx, record.Peer)
	if e != 0 {
		return 0, e
	}
	record.Peer = peer
	d.look()
	if e := d.report.Swap(0); e != 0 {
		return 0, e
	}
	message, err := record.Append(nil)
	if err != nil {
		return 0, eMsgSize
	}
	if _, err := conn.Write(message); err != nil { // waits only for this process: the relay drops
		return 0, d.ended(ctx, conn, err)
	}
	return len(data), 0
}

// toSend returns the stream for a datagram, which it opens where there is none, and the peer of its
// record. The zero Peer stands for a datagram without an address.
func (d *datagrams) toSend(ctx context.Context, to datagram.Peer) (*local.Stream, datagram.Peer, errno) {
	addressed := to != datagram.Peer{}
	d.mu.Lock()
	conn, connected, bound, remote := d.conn, d.connected, d.bound, d.remote
	d.mu.Unlock()
	switch {
	case connected && addressed:
		return nil, to, wire.EISCONN
	case !connected && !addressed:
		return nil, to, eDestAddrReq
	case connected && bound:
		return conn, datagram.PeerAt(remote), 0 // to the relay the stream is not connected
	case conn != nil:
		return conn, to, 0
	}
	if e := d.openAny(ctx); e != 0 {
		return nil, to, e
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil, to, wire.EBADF
	}
	return d.conn, to, 0
}

// ended returns the error number for a stream that has ended by itself, such as for its idleness.
// The socket gets another by its next use.
func (d *datagrams) ended(ctx context.Context, conn *local.Stream, err error) errno {
	if ctx.Err() != nil {
		return eEndedBridge
	}
	d.mu.Lock()
	current := d.conn == conn
	d.mu.Unlock()
	if !current || errors.Is(err, io.EOF) {
		return 0
	}
	d.replace(nil, netip.AddrPort{}, netip.AddrPort{}, false)
	return errnoOf(local.CodeOf(err))
}

func (d *datagrams) recv(ctx context.Context, place *turn, length uint32, flags int32) (received, errno) {
	if flags&^recvFlags != 0 {
		return received{}, wire.EINVAL
	}
	dontWait := flags&flagDontWait != 0
	limit := d.options.receiveTimeout()
	var until time.Time
	if limit > 0 {
		until = time.Now().Add(limit)
	}
	waits, cancel := within(ctx, limit)
	defer cancel()
	switch {
	case dontWait && !place.now():
		return received{}, wire.EAGAIN
	case !dontWait && !place.wait(waits):
		if ctx.Err() != nil {
			return received{}, eEndedBridge
		}
		return received{}, wire.EAGAIN
	}
	for len(d.come) == 0 {
		if e := d.report.Swap(0); e != 0 {
			return received{}, e
		}
		if d.readShut.Load() {
			return received{}, 0
		}
		if e := d.more(ctx, waits, dontWait, until); e != 0 {
			return received{}, e
		}
	}
	first := d.come[0]
	if flags&flagPeek == 0 {
		d.bridge.out.Hold(-len(first.Payload))
		d.held -= len(first.Payload)
		if d.come = d.come[1:]; len(d.come) == 0 {
			d.come = nil
		}
	}
	got := received{data: first.Payload[:min(int64(length), int64(len(first.Payload)))], from: d.fromOf(first)}
	got.length = len(got.data)
	if flags&flagTrunc != 0 {
		got.length = len(first.Payload)
	}
	return got, 0
}

// fromOf returns the address that a datagram has come from.
func (d *datagrams) fromOf(r datagram.Record) netip.AddrPort {
	if r.Peer == (datagram.Peer{}) {
		_, remote := d.names()
		return remote
	}
	return netip.AddrPortFrom(r.Peer.Host.Addr(), r.Peer.Port)
}

// more waits until something may have come.
func (d *datagrams) more(ctx, waits context.Context, dontWait bool, until time.Time) errno {
	d.mu.Lock()
	conn, another := d.conn, d.waits
	d.mu.Unlock()
	if conn == nil {
		if dontWait {
			return wire.EAGAIN
		}
		select {
		case <-another:
			return 0
		case <-waits.Done():
		}
		if ctx.Err() != nil {
			return eEndedBridge
		}
		return wire.EAGAIN
	}
	if !conn.Readable() {
		if dontWait {
			return wire.EAGAIN
		}
		conn.SetReadDeadline(until)
		if d.readShut.Load() { // else shutdown sets a deadline that has passed
			return 0
		}
		conn.WaitReadable()
		if !conn.Readable() && !until.IsZero() && !time.Now().Before(until) && !d.readShut.Load() {
			return wire.EAGAIN
		}
	}
	if err := d.decode(conn); err != nil {
		return d.ended(ctx, conn, err)
	}
	return 0
}

// look decodes what is there, if it is no one's turn to receive.
func (d *datagrams) look() {
	place := d.receiving.ask()
	defer place.done()
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	for place.now() && conn != nil && d.held < maxAhead && conn.Readable() {
		if d.decode(conn) != nil {
			return // recv sees it too
		}
	}
}

// decode reads what is there of a stream.
func (d *datagrams) decode(conn *local.Stream) error {
	if d.from != conn {
		d.forget()
		d.from = conn
	}
	if !conn.Readable() {
		return nil
	}
	conn.SetReadDeadline(time.Time{})
	buffer := scratch.Get().(*[16 << 10]byte)
	defer scratch.Put(buffer)
	n, err := conn.Read(buffer[:])
	if n > 0 {
		err = d.decoder.Decode(buffer[:n], d.take)
	}
	return err
}

// take keeps a datagram, or what a report says.
func (d *datagrams) take(r datagram.Record) {
	d.mu.Lock()
	connected, other := d.connected, d.bound && d.connected && r.Peer != datagram.PeerAt(d.remote)
	d.mu.Unlock()
	switch {
	case other: // as on Linux
		return
	case r.Code != wire.OK:
		switch r.Code {
		case wire.Refused, wire.HostUnreachable, wire.NetworkUnreachable:
			if !connected {
				return // Linux tells it only of sockets that are connected
			}
		default:
		}
		d.report.Store(errnoOf(r.Code))
		return
	}
	r.Payload = append([]byte(nil), r.Payload...)
	d.come = append(d.come, r)
	d.held += len(r.Payload)
	d.bridge.out.Hold(len(r.Payload))
}
