package sockmux

import (
	"context"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall/js"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// page is the session of the page's sockmux.js, which js/types/sockmux.d.ts describes.
type page struct{ sockmux js.Value }

// pageOf returns the page's own session, if there is one and url is "" or its URL.
func pageOf(url string) (page, bool) {
	p := page{js.Global().Get("sockmux")}
	if p.sockmux.Type() != js.TypeObject || p.sockmux.Get("connect").Type() != js.TypeFunction {
		return page{}, false
	}
	if url == "" {
		return p, true
	}
	bare := func(url string) string {
		_, rest, _ := strings.Cut(url, "://")
		rest = strings.TrimSuffix(rest, "/")
		return strings.TrimSuffix(strings.TrimSuffix(rest, wire.ConnectPath), "/")
	}
	return p, bare(p.sockmux.Call("stats").Get("url").String()) == bare(url)
}

// open implements session.
func (p page) open(ctx context.Context, request wire.Request) (stream, wire.Result, error) {
	switch request.Kind {
	case wire.TCP:
	case wire.UDP, wire.UDPBound:
		return p.datagrams(ctx, request)
	default:
		return nil, wire.Result{}, wire.NewError(wire.UnsupportedKind, "the page's own session has no such streams: give the Dialer another URL")
	}
	options := map[string]any{"optimistic": false}
	if request.Timeout > 0 {
		options["timeout"] = request.Timeout.Seconds()
	}
	if request.Family != 0 {
		options["family"] = int(request.Family)
	}
	socket, err := call(func() js.Value {
		return p.sockmux.Call("connect", request.Host.String(), int(request.Port), options)
	})
	if err != nil {
		return nil, wire.Result{}, err
	}
	return opened(ctx, socket)
}

// opened waits until a socket of the page's is open.
func opened(ctx context.Context, socket js.Value) (stream, wire.Result, error) {
	s := newPageStream(socket)
	ends, err := await(ctx, socket.Get("opened"))
	if err != nil {
		_ = s.Reset(wire.Aborted, "") // never fails
		return nil, wire.Result{}, err
	}
	return s, wire.Result{Bound: addressIn(ends.Get("bound")), Remote: addressIn(ends.Get("remote"))}, nil
}

// resolve implements session.
func (p page) resolve(ctx context.Context, name string, family uint8) (wire.Addresses, error) {
	if p.sockmux.Get("resolve").Type() != js.TypeFunction {
		return wire.Addresses{}, wire.NewError(wire.UnsupportedKind, "the sockmux.js of the page resolves no names")
	}
	control := js.Global().Get("AbortController").New()
	stop := context.AfterFunc(ctx, func() { control.Call("abort") })
	defer stop()
	options := map[string]any{"signal": control.Get("signal")}
	if family != 0 {
		options["family"] = int(family)
	}
	promise, err := call(func() js.Value { return p.sockmux.Call("resolve", name, options) })
	if err != nil {
		return wire.Addresses{}, err
	}
	found, err := await(ctx, promise)
	if err != nil {
		return wire.Addresses{}, err
	}
	answer := wire.Addresses{TTL: time.Duration(found.Get("ttl").Int()) * time.Second}
	for _, text := range textsIn(found.Get("addresses")) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return wire.Addresses{}, wire.NewError(wire.Protocol, strconv.Quote(text)+" is no address")
		}
		answer.Addrs = append(answer.Addrs, addr)
	}
	answer.Names = textsIn(found.Get("names"))
	return answer, nil
}

// textsIn returns the strings of an array; none of what is no array.
func textsIn(array js.Value) (texts []string) {
	if array.Type() != js.TypeObject {
		return nil
	}
	for i := range array.Length() {
		texts = append(texts, array.Index(i).String())
	}
	return texts
}

// listen implements session.
func (p page) listen(ctx context.Context, request wire.Request, backlog int) (incomingSource, wire.Result, error) {
	if p.sockmux.Get("listen").Type() != js.TypeFunction {
		return nil, wire.Result{}, wire.NewError(wire.UnsupportedKind, "the sockmux.js of the page cannot listen")
	}
	options := map[string]any{"backlog": backlog}
	if request.Family != 0 {
		options["family"] = int(request.Family)
	}
	promise, err := call(func() js.Value { return p.sockmux.Call("listen", request.Host.String(), int(request.Port), options) })
	if err != nil {
		return nil, wire.Result{}, err
	}
	server, err := await(ctx, promise)
	if err != nil {
		settle(promise, func(server js.Value, err error) { // it may come yet
			if err == nil {
				server.Call("close")
			}
		})
		return nil, wire.Result{}, err
	}
	return pageSource{server, server.Get("readable").Call("getReader")}, wire.Result{Bound: addressIn(server.Get("bound"))}, nil
}

// pageSource reads the sockets of the page's listen().
type pageSource struct{ server, reader js.Value }

func (s pageSource) next() (func(context.Context) (stream, wire.Result, error), error) {
	result, err := await(context.Background(), s.reader.Call("read"))
	if err != nil {
		return nil, err
	}
	if result.Get("done").Bool() {
		return nil, io.EOF
	}
	return func(ctx context.Context) (stream, wire.Result, error) { return opened(ctx, result.Get("value")) }, nil
}

func (s pageSource) close() { s.server.Call("close") }

func addressIn(v js.Value) netip.AddrPort {
	if v.IsNull() {
		return netip.AddrPort{}
	}
	addr, err := netip.ParseAddr(v.Get("addr").String())
	if err != nil {
		return netip.AddrPort{} // the server tells none
	}
	return netip.AddrPortFrom(addr, uint16(v.Get("port").Int()))
}

// status implements session. The page's states are ours, and two more.
func (p page) status() Status {
	v := p.sockmux.Get("status")
	s := Status{
		State:   State(v.Get("state").String()),
		Since:   time.UnixMilli(int64(v.Get("since").Float())),
		Attempt: v.Get("attempt").Int(),
	}
	if reason := v.Get("reason"); !reason.IsNull() {
		s.Err = wire.NewError(wire.Code(reason.Get("code").Int()), reason.Get("text").String())
	}
	if slices.Contains(slices.Collect(maps.Values(states)), s.State) {
		return s
	}
	// The page has states for its wasm: it loads, or it has failed, which has a reason.
	s.State = StateConnecting
	if s.Err != nil {
		s.State = StateClosed
	}
	return s
}

// progress implements session.
func (p page) progress() uint64 {
	stats := p.sockmux.Call("stats")
	return uint64(stats.Get("bytesIn").Float() + stats.Get("bytesOut").Float() - stats.Get("unacknowledged").Float())
}

// close implements session. The session is the page's.
func (p page) close() {}
