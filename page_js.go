package sockmux

import (
	"context"
	"io"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall/js"
	"time"

	"github.com/sockmux/sockmux/shared/closed"
	"github.com/sockmux/sockmux/shared/deadline"
	"github.com/sockmux/sockmux/shared/mux"
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
	if request.Kind != wire.TCP {
		return nil, wire.Result{}, wire.NewError(wire.UnsupportedKind, "the page's own session is used for tcp alone: give the Dialer another URL")
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

// pageStream is a socket of the page's connect(). It implements stream.
type pageStream struct {
	socket, reader, writer js.Value

	mu       sync.Mutex
	change   sync.Cond
	deadline deadline.Deadline
	asked    bool   // a read of the reader is under way
	chunk    []byte // what it has brought and Read has not returned
	err      error  // why no more comes
}

func newPageStream(socket js.Value) *pageStream {
	s := &pageStream{
		socket: socket,
		reader: socket.Get("readable").Call("getReader"),
		writer: socket.Get("writable").Call("getWriter"),
	}
	s.change.L = &s.mu
	return s
}

// Read implements stream.
func (s *pageStream) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.deadline.Passed():
			return 0, mux.ErrDeadline
		case len(s.chunk) > 0:
			n := copy(b, s.chunk)
			s.chunk = s.chunk[n:]
			return n, nil
		case s.err != nil:
			return 0, s.err
		case len(b) == 0:
			return 0, nil
		}
		s.askLocked()
		s.change.Wait()
	}
}

// askLocked asks the reader for the next chunk unless it was asked.
func (s *pageStream) askLocked() {
	if s.asked {
		return
	}
	s.asked = true
	settle(s.reader.Call("read"), func(result js.Value, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked = false
		switch {
		case s.err != nil: // of CancelRead
		case err != nil:
			s.err = err
		case result.Get("done").Bool():
			s.err = io.EOF
		default:
			value := result.Get("value")
			s.chunk = make([]byte, value.Length())
			js.CopyBytesToGo(s.chunk, value)
		}
		s.change.Broadcast()
	})
}

// SetReadDeadline implements stream.
func (s *pageStream) SetReadDeadline(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline.Set(t, &s.mu, s.change.Broadcast)
}

// Write implements stream.
func (s *pageStream) Write(b []byte) (int, error) {
	if _, err := await(context.Background(), s.writer.Call("write", copyOf(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}

// CloseWrite implements stream.
func (s *pageStream) CloseWrite() error {
	_, err := await(context.Background(), s.writer.Call("close"))
	return err
}

// CancelRead implements stream.
func (s *pageStream) CancelRead(wire.Code) error {
	s.mu.Lock()
	if s.err == nil {
		s.err = closed.Err
	}
	s.chunk = nil
	s.change.Broadcast()
	s.mu.Unlock()
	settle(s.reader.Call("cancel"), func(js.Value, error) {}) // it fails only where the socket has
	return nil
}

// Close implements stream.
func (s *pageStream) Close() error {
	s.socket.Call("close")
	return nil
}

// Reset implements stream.
func (s *pageStream) Reset(wire.Code, string) error {
	s.socket.Call("reset")
	return nil
}

// SetSocketOptions implements stream.
func (s *pageStream) SetSocketOptions(options wire.SocketOptions) {
	choices := map[string]any{}
	if options.NoDelay != wire.Unset {
		choices["noDelay"] = options.NoDelay == wire.On
	}
	if options.KeepAlive != wire.Unset {
		choices["keepAlive"] = options.KeepAlive == wire.On
	}
	if options.KeepIdle > 0 { // the page refuses less than a second; on the wire that counts as one
		choices["keepAliveDelay"] = max(options.KeepIdle, time.Second).Milliseconds()
	}
	s.socket.Call("setOptions", choices)
}

// settle calls done, which must not block, when a promise has settled.
func settle(promise js.Value, done func(value js.Value, err error)) {
	var yes, no js.Func
	release := func() {
		yes.Release()
		no.Release()
	}
	yes = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		value := js.Undefined()
		if len(args) > 0 {
			value = args[0]
		}
		done(value, nil)
		return nil
	})
	no = js.FuncOf(func(_ js.Value, args []js.Value) any {
		release()
		done(js.Undefined(), errorIn(args[0]))
		return nil
	})
	promise.Call("then", yes, no)
}

// await waits until a promise has settled or ctx ends.
func await(ctx context.Context, promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	settle(promise, func(value js.Value, err error) { settled <- outcome{value, err} })
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

// call returns what f throws as an error.
func call(f func() js.Value) (v js.Value, err error) {
	defer func() {
		if thrown, ok := recover().(js.Error); ok {
			err = errorIn(thrown.Value)
		}
	}()
	return f(), nil
}

// errorIn returns the *wire.Error that a SocketError of the page's stands for, or any other
// exception as it is.
func errorIn(v js.Value) error {
	if v.Type() != js.TypeObject || v.Get("code").Type() != js.TypeString {
		return js.Error{Value: v}
	}
	name, text := v.Get("code").String(), v.Get("text")
	if text.Type() != js.TypeString { // of a script before that property
		text = v.Get("message")
	}
	for _, code := range wire.Codes() {
		if code.String() == name {
			return wire.NewError(code, text.String())
		}
	}
	return wire.NewError(wire.Internal, strconv.Quote(name)+": "+text.String())
}
