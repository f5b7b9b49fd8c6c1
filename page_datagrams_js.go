package sockmux

import (
	"context"
	"syscall/js"

	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

// maxReports bounds the bytes of reports that wait for Read. What comes beyond is dropped.
const maxReports = 64 << 10

// pageDatagrams is a UDPSocket of the page's. It implements stream: what is read and
// written are the records of a udp stream.
type pageDatagrams struct {
	pageReader
	socket, writer js.Value
	onError        js.Func
	decoder        datagram.Decoder // of Write
}

// datagrams opens a UDPSocket of the page's.
func (p page) datagrams(ctx context.Context, request wire.Request) (stream, wire.Result, error) {
	class := p.sockmux.Get("UDPSocket")
	if class.Type() != js.TypeFunction {
		return nil, wire.Result{}, wire.NewError(wire.UnsupportedKind, "the sockmux.js of the page has no UDP")
	}
	d := new(pageDatagrams)
	d.onError = js.FuncOf(func(_ js.Value, args []js.Value) any {
		d.report(args[0])
		return nil
	})
	options := map[string]any{"onerror": d.onError}
	switch {
	case request.Kind == wire.UDPBound:
		options["localAddress"], options["localPort"], options["ipv6Only"] = request.Host.String(), int(request.Port), request.Family == 6
	case !request.Host.IsZero():
		options["remoteAddress"], options["remotePort"] = request.Host.String(), int(request.Port)
		if request.Family != 0 {
			options["dnsQueryType"] = map[uint8]any{4: "ipv4", 6: "ipv6"}[request.Family]
		}
	case request.Family == 4:
		options["localAddress"], options["localPort"] = "0.0.0.0", int(request.Port)
	default:
		options["localAddress"], options["localPort"], options["ipv6Only"] = "::", int(request.Port), request.Family == 6
	}
	var err error
	if d.socket, err = call(func() js.Value { return class.New(options) }); err != nil {
		d.onError.Release()
		return nil, wire.Result{}, err
	}
	opened := d.socket.Get("opened")
	info, err := await(ctx, opened)
	if err != nil {
		settle(opened, func(_ js.Value, refused error) { // it may open yet
			if refused == nil {
				d.socket.Call("close")
			}
		})
		d.release()
		return nil, wire.Result{}, err
	}
	d.writer = info.Get("writable").Call("getWriter")
	d.init(info.Get("readable"), recordIn)
	d.release()
	at := func(address, port string) js.Value {
		if info.Get(address).Type() != js.TypeString {
			return js.Null()
		}
		return js.ValueOf(map[string]any{"addr": info.Get(address), "port": info.Get(port)})
	}
	return d, wire.Result{Bound: addressIn(at("localAddress", "localPort")), Remote: addressIn(at("remoteAddress", "remotePort"))}, nil
}

// release frees what is called for reports when the socket has ended.
func (d *pageDatagrams) release() {
	settle(d.socket.Get("closed"), func(js.Value, error) { d.onError.Release() })
}

// peerIn returns the peer in a message or a report; the zero one if it names none.
func peerIn(v js.Value) datagram.Peer {
	if v.Get("remoteAddress").Type() != js.TypeString {
		return datagram.Peer{}
	}
	return datagram.Peer{Host: wire.ParseHost(v.Get("remoteAddress").String()), Port: uint16(v.Get("remotePort").Int())}
}

// recordIn returns the record of a message that has come.
func recordIn(message js.Value) []byte {
	record := datagram.Record{Peer: peerIn(message), Payload: bytesIn(message.Get("data"))}
	b, err := record.Append(nil)
	if err != nil {
		return nil // of a server that breaks the protocol, which the page has noticed
	}
	return b
}

// report adds the record of what the page says of an earlier datagram.
func (d *pageDatagrams) report(thrown js.Value) {
	err := errorIn(thrown)
	coded, ok := err.(*wire.Error)
	if !ok {
		coded = wire.NewError(wire.Internal, err.Error())
	}
	b, tooLong := datagram.Report(peerIn(thrown), coded.Code, coded.Text).Append(nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	if tooLong != nil || len(d.chunk) > maxReports {
		return
	}
	d.chunk = append(d.chunk, b...)
	d.change.Broadcast()
}

// Write implements stream. It waits until the page has taken each datagram, or dropped it.
func (d *pageDatagrams) Write(b []byte) (int, error) {
	var last js.Value
	err := d.decoder.Decode(b, func(r datagram.Record) {
		message := map[string]any{"data": copyOf(r.Payload)}
		if r.Peer != (datagram.Peer{}) {
			message["remoteAddress"], message["remotePort"] = r.Peer.Host.String(), int(r.Peer.Port)
		}
		last = d.writer.Call("write", message)
	})
	if err != nil {
		return 0, err
	}
	if last.Type() == js.TypeObject {
		if _, err := await(context.Background(), last); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// CloseWrite implements stream.
func (d *pageDatagrams) CloseWrite() error {
	_, err := await(context.Background(), d.writer.Call("close"))
	return err
}

// Close implements stream. What was written is sent.
func (d *pageDatagrams) Close() error {
	_ = d.CancelRead(wire.Aborted)                           // never fails
	settle(d.writer.Call("close"), func(js.Value, error) {}) // it fails only where the socket has
	return nil
}

// Reset implements stream.
func (d *pageDatagrams) Reset(wire.Code, string) error {
	_ = d.CancelRead(wire.Aborted)                           // never fails
	settle(d.writer.Call("abort"), func(js.Value, error) {}) // it fails only where the socket has
	return nil
}

// SetSocketOptions implements stream: a socket of UDP has none.
func (d *pageDatagrams) SetSocketOptions(wire.SocketOptions) {}
