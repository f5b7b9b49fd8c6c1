package relay

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/server/relay/egress"
	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// maxReports is how many reports of a stream may wait to be written. Those beyond are dropped.
const maxReports = 8

// datagrams is a socket for datagrams in the form of a connection whose bytes are records. So
// the limits, the counters and the end of a stream are those of every other.
type datagrams struct {
	service   *service // with the policy for datagrams
	pipe      *pipe
	sockets   []*net.UDPConn // one, or one for each family
	connected netip.AddrPort // the only peer; invalid: none
	counts    *counts
	decoder   datagram.Decoder // of what is written
	peers     peers
	senders   *senders // of a bound socket; nil: only peers may send
	names     names
	lost      lost
	held      held // incomplete datagrams, and those that wait for names
	partial   int  // bytes of held that are the decoder's; of the goroutine that writes

	down    sync.Mutex // held by what writes to the client
	reports atomic.Int32
	targets atomic.Int64   // that were counted
	tasks   sync.WaitGroup // goroutines that write reports or resolve names

	over    chan struct{} // closed with the sockets
	closing sync.Once
	failure atomic.Pointer[wire.Error] // why the stream ends; nil: as it should
}

var _ egress.Conn = (*datagrams)(nil)

func newDatagrams(r *service, p *pipe, sockets []*net.UDPConn, connected netip.AddrPort) *datagrams {
	d := &datagrams{service: r, pipe: p, sockets: sockets, connected: connected, counts: &r.live.datagrams, held: held{account: r.Memory}, over: make(chan struct{})}
	d.peers.init()
	d.names.init()
	return d
}

// local is the server's end. A socket that is not connected has no address of its own.
func (d *datagrams) local() netip.AddrPort {
	return addrPort(d.sockets[0].LocalAddr())
}

// Write sends the datagrams whose records b completes. It fails only for bytes that are no records:
// what cannot be sent is dropped, counted and reported.
func (d *datagrams) Write(b []byte) (int, error) {
	err := d.decoder.Decode(b, d.send)
	partial := d.decoder.Held()
	d.held.add(partial - d.partial)
	d.partial = partial
	if err == nil {
		return len(b), nil
	}
	var malformed *wire.Error
	if errors.As(err, &malformed) {
		d.failure.CompareAndSwap(nil, malformed)
	}
	d.close()
	return len(b), err
}

// send sends one datagram of the client's.
func (d *datagrams) send(r datagram.Record) {
	switch {
	case r.Code != wire.OK:
		d.counts.drop(droppedMalformed) // a client has nothing to report
	case d.connected.IsValid():
		if r.Peer != (datagram.Peer{}) {
			d.refuse(r.Peer, droppedMalformed, wire.NewError(wire.InvalidRequest, "a datagram with an address on a connected socket"))
			return
		}
		d.sendTo(d.sockets[0], r.Peer, netip.AddrPort{}, r.Payload)
	case r.Peer.Port == 0 || r.Peer.Host.IsZero():
		d.refuse(r.Peer, droppedMalformed, wire.NewError(wire.InvalidRequest, "a datagram without an address"))
	case r.Peer.Host.Name() != "":
		d.names.send(d, r.Peer, r.Payload)
	default:
		d.sendPeer(r.Peer, nil, netip.AddrPortFrom(r.Peer.Host.Addr(), r.Peer.Port), r.Payload)
	}
}

// sendPeer sends a datagram to an address, which may answer from then on. peer is what the client
// calls it; host and aliases are its names.
func (d *datagrams) sendPeer(peer datagram.Peer, aliases []string, to netip.AddrPort, payload []byte) {
	if !d.senders.may(to) {
		err := d.peers.reach(to, peer, func() error {
			err := d.service.checkUnicast(peer.Host, aliases, to)
			if err == nil && peer.Host.Name() == "" {
				err = d.begin()
			}
			d.service.refusedPeer(peer, err)
			return err
		})
		if err != nil {
			d.refuse(peer, dropOf(err), err)
			return
		}
	}
	socket := d.socketFor(to)
	if socket == nil {
		d.refuse(peer, droppedUnsent, wire.NewError(wire.AddressNotAvailable, to.String()+": the server sends from no address of this family"))
		return
	}
	d.sendTo(socket, peer, to, payload)
}

// begin counts one more target. The first is the stream, which was counted before.
func (d *datagrams) begin() error {
	if d.targets.Add(1) == 1 || d.service.Meter == nil {
		return nil
	}
	return d.service.Meter.Begin()
}

// socketFor returns the socket that sends to an address; nil: there is none.
func (d *datagrams) socketFor(to netip.AddrPort) *net.UDPConn {
	for _, s := range d.sockets {
		own := s.LocalAddr().(*net.UDPAddr).IP // what a UDPConn has
		if len(d.sockets) == 1 && own.IsUnspecified() && own.To4() == nil || (own.To4() != nil) == to.Addr().Is4() {
			return s
		}
	}
	return nil
}

// sendTo gives a datagram to the system. An invalid to is the peer of a connected socket. An error
// that the system reports of an earlier datagram is passed on, and the datagram is sent again.
func (d *datagrams) sendTo(socket *net.UDPConn, peer datagram.Peer, to netip.AddrPort, payload []byte) {
	write := func() (err error) {
		if to.IsValid() {
			_, err = socket.WriteToUDPAddrPort(payload, to)
		} else {
			_, err = socket.Write(payload)
		}
		return err
	}
	err := write()
	if err != nil && !to.IsValid() && errors.Is(err, syscall.ECONNREFUSED) {
		d.report(datagram.Report(peer, wire.Refused, d.connected.String()+": "+wire.Refused.Meaning()))
		err = write()
	}
	switch {
	case err == nil:
		d.counts.up.Add(1)
	case errors.Is(err, net.ErrClosed):
	default:
		code := codeOf(err)
		about := to
		if !to.IsValid() {
			about = d.connected
		}
		d.refuse(peer, droppedUnsent, wire.NewError(code, about.String()+": "+code.Meaning()))
	}
}

// refuse drops a datagram of the client's and says why.
func (d *datagrams) refuse(peer datagram.Peer, why drop, err error) {
	d.counts.drop(why)
	d.report(datagram.Report(peer, codeOf(err), textOf(err)))
}

// report writes a report. It does not wait for a client that takes nothing.
func (d *datagrams) report(r datagram.Record) {
	b, err := r.Append(nil)
	if err != nil {
		return // of a report that the server makes: none
	}
	if d.reports.Add(1) > maxReports {
		d.reports.Add(-1)
		return
	}
	d.tasks.Go(func() {
		defer d.reports.Add(-1)
		d.down.Lock()
		defer d.down.Unlock()
		d.pipe.writeDown(b) // it fails only if the client is gone, which the other direction finds
	})
}

// receive passes on what comes, until the sockets are closed. It returns when no goroutine of the
// socket is left.
func (d *datagrams) receive(pass func([]byte) bool, end func(error)) {
	d.counts.receiving.add(d)
	errs := make(chan error, len(d.sockets))
	for _, s := range d.sockets {
		go func() { errs <- d.receiveFrom(s, pass) }() // it ends with the sockets
	}
	var first error
	for range d.sockets {
		if err := <-errs; first == nil {
			first = err
		}
		d.close()
	}
	d.counts.receiving.remove(d)
	d.tasks.Wait()
	d.held.end()
	if failure := d.failure.Load(); failure != nil {
		first = failure
	}
	if first == nil || errors.Is(first, net.ErrClosed) && d.pipe.finSent.Load() {
		first = io.EOF
	}
	end(first)
}

// receiveFrom passes on what one socket receives. The error is the one that ends it; nil: the
// client takes no more.
func (d *datagrams) receiveFrom(socket *net.UDPConn, pass func([]byte) bool) error {
	in := &incoming{datagrams: d, socket: socket}
	for {
		b, err := in.wait()
		d.down.Lock()
		passed := len(b) == 0 || pass(b)
		d.down.Unlock()
		in.release()
		switch {
		case !passed:
			return nil
		case err != nil && !d.reported(err):
			return err
		}
	}
}

// countLost counts what the system has dropped so far.
func (d *datagrams) countLost() {
	for _, s := range d.sockets {
		d.lost.count(d.counts, s)
	}
}

// reported passes on an error that the network has reported of an earlier datagram. It returns
// false for an error of the socket itself.
func (d *datagrams) reported(err error) bool {
	for _, row := range errnos {
		if errors.Is(err, row.errno) {
			d.report(datagram.Report(datagram.Peer{}, row.code, d.connected.String()+": "+row.code.Meaning()))
			return true
		}
	}
	return false
}

// close closes the sockets: what was sent is on its way.
func (d *datagrams) close() {
	d.closing.Do(func() {
		close(d.over)
		for _, s := range d.sockets {
			d.lost.count(d.counts, s)
			_ = s.Close() // a second close of the same is not made
		}
		if d.senders != nil {
			d.service.incoming.leave(d.service.Client.Number, d, 0)
		}
	})
}

// CloseWrite ends the socket behind the datagrams that wait for a name.
func (d *datagrams) CloseWrite() error {
	d.names.whenIdle(d.close)
	return nil
}

// Close implements net.Conn.
func (d *datagrams) Close() error {
	d.close()
	return nil
}

// Read waits for the end of the socket: what it receives goes through receive.
func (d *datagrams) Read([]byte) (int, error) {
	<-d.over
	return 0, net.ErrClosed
}

// SetReadDeadline ends the socket: it is set only to end a stream that lingers.
func (d *datagrams) SetReadDeadline(time.Time) error { return d.Close() }

// LocalAddr implements net.Conn.
func (d *datagrams) LocalAddr() net.Addr { return d.sockets[0].LocalAddr() }

// RemoteAddr implements net.Conn.
func (d *datagrams) RemoteAddr() net.Addr { return d.sockets[0].RemoteAddr() }

// SyscallConn implements egress.Conn.
func (d *datagrams) SyscallConn() (syscall.RawConn, error) { return d.sockets[0].SyscallConn() }

// What follows has no meaning for datagrams.

// SetDeadline implements net.Conn.
func (d *datagrams) SetDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (d *datagrams) SetWriteDeadline(time.Time) error { return nil }

// SetLinger implements egress.Conn.
func (d *datagrams) SetLinger(int) error { return nil }

// SetNoDelay implements egress.Conn.
func (d *datagrams) SetNoDelay(bool) error { return nil }

// SetKeepAliveConfig implements egress.Conn.
func (d *datagrams) SetKeepAliveConfig(net.KeepAliveConfig) error { return nil }
