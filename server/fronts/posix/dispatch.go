package posix

import (
	"context"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// run runs a call. One that would wait gets a goroutine; the others are answered in the order in
// which they came.
func (b *bridge) run(call calls.Call) {
	switch call.Function {
	case calls.Socket:
		s, e := b.newSocket(call.Domain, call.Type, call.Protocol)
		b.answer(b.opened(call, s, e))
	case calls.Socketpair:
		b.answer(b.pair(call))
	case calls.Getaddrinfo:
		b.wait(call, func(ctx context.Context, call calls.Call) []byte { return b.lookup(ctx, call.ID, call.Lookup) })
	case calls.Sendmsg, calls.Recvmsg, calls.Getnameinfo: // have no messages: programs do not send them
		b.answer(failure(call, wire.ENOSYS))
	default:
		if call.Function < calls.Socket || call.Function > calls.Getnameinfo {
			b.answer(failure(call, wire.ENOSYS))
			return
		}
		s := b.sockets.find(call.FD)
		if s == nil {
			b.answer(failure(call, wire.EBADF))
			return
		}
		b.runOn(s, call)
	}
}

// opened gives a new socket its number.
func (b *bridge) opened(call calls.Call, s socket, e errno) []byte {
	if e != 0 {
		return failure(call, e)
	}
	fd, ok := b.sockets.add(s)
	if !ok {
		s.close()
		return failure(call, wire.EMFILE)
	}
	return calls.Result(call.ID, fd, 0, nil)
}

// runOn runs a call about a socket.
func (b *bridge) runOn(s socket, call calls.Call) {
	of := s.basics()
	switch call.Function {
	case calls.Shutdown:
		b.answer(b.shutdown(s, call))
	case calls.Getsockname, calls.Getpeername:
		b.answer(nameOf(s, call))
	case calls.Getsockopt:
		value, e := getOption(s, call.Level, call.Option, call.Length)
		if e != 0 {
			b.answer(failure(call, e))
			return
		}
		b.answer(calls.Result(call.ID, 0, 0, value))
	case calls.Setsockopt:
		b.answer(status(call, setOption(s, call.Level, call.Option, call.Data)))
	case calls.Bind:
		b.wait(call, func(ctx context.Context, call calls.Call) []byte { return status(call, s.bind(ctx, call.Address)) })
	case calls.Connect:
		if !b.begin(0) {
			b.answer(failure(call, eNoBufs))
			return
		}
		s.connect(call.Address, func(e errno) {
			defer b.done(0)
			b.answer(status(calls.Call{ID: call.ID, Function: call.Function}, e))
		})
	case calls.Listen:
		b.wait(call, func(ctx context.Context, call calls.Call) []byte { return status(call, s.listen(ctx, call.Backlog)) })
	case calls.Accept:
		b.inTurn(call, of.receiving.ask(), func(ctx context.Context, place *turn, call calls.Call) result {
			return result{message: b.accept(ctx, place, s, call)}
		})
	case calls.Send, calls.Sendto:
		b.send(s, call)
	case calls.Recv, calls.Recvfrom:
		place := of.receiving.ask()
		if place.now() && s.receivesNow(call.Flags) {
			one := receive(b.life, place, s, call)
			place.done()
			b.results.answer(one)
			return
		}
		b.inTurn(call, place, func(ctx context.Context, place *turn, call calls.Call) result { return receive(ctx, place, s, call) })
	}
}

// send runs a Send or Sendto. What need not wait is sent at once.
func (b *bridge) send(s socket, call calls.Call) {
	place, sent := s.basics().sending.ask(), 0
	if place.now() && call.Address == nil && len(call.Data) > 0 {
		sent = s.sendNow(call.Data, call.Flags)
	}
	if sent > 0 && (sent == len(call.Data) || call.Flags&flagDontWait != 0) {
		place.done()
		b.answer(calls.Result(call.ID, int32(sent), 0, nil))
		return
	}
	call.Data = call.Data[sent:]
	b.inTurn(call, place, func(ctx context.Context, place *turn, call calls.Call) result {
		n, e := s.send(ctx, place, call.Data, call.Flags, call.Address)
		if e != 0 && sent == 0 {
			return result{message: failure(call, e)}
		}
		return result{message: calls.Result(call.ID, int32(sent+n), 0, nil)}
	})
}

// wait runs a call that may wait.
func (b *bridge) wait(call calls.Call, run func(context.Context, calls.Call) []byte) {
	call, n, free, ok := b.keep(call)
	if !ok {
		b.answer(failure(call, eNoBufs))
		return
	}
	go func() { // close waits for it
		defer b.done(n)
		message := run(b.life, call)
		free()
		b.answer(message)
	}()
}

// inTurn is wait for a call that has a place in the line of its socket.
func (b *bridge) inTurn(call calls.Call, place *turn, run func(context.Context, *turn, calls.Call) result) {
	call, n, free, ok := b.keep(call)
	if !ok {
		place.done()
		b.answer(failure(call, eNoBufs))
		return
	}
	go func() { // close waits for it
		defer b.done(n)
		one := run(b.life, place, call)
		free()
		place.done() // before the network takes the result
		b.results.answer(one)
	}()
}

// status is the result of a call that returns nothing but an error.
func status(call calls.Call, e errno) []byte {
	if e != 0 {
		return failure(call, e)
	}
	return calls.Result(call.ID, 0, 0, nil)
}

// shutdown implements shutdown(2). That of both directions is the protocol's only close, so
// it frees the handle in any case.
func (b *bridge) shutdown(s socket, call calls.Call) []byte {
	if call.How != shutRead && call.How != shutWrite && call.How != shutBoth {
		return failure(call, wire.EINVAL)
	}
	e := s.shutdown(call.How)
	if call.How == shutBoth {
		b.sockets.remove(call.FD)
		s.close()
	}
	return status(call, e)
}

func nameOf(s socket, call calls.Call) []byte {
	ap, remote := s.names()
	if call.Function == calls.Getpeername {
		if ap = remote; !ap.IsValid() && s.basics().family != calls.AFUnix {
			return failure(call, wire.ENOTCONN)
		}
	}
	return calls.Result(call.ID, 0, 0, calls.Named(s.basics().named(ap), call.AddressLen))
}

func (b *bridge) accept(ctx context.Context, place *turn, s socket, call calls.Call) []byte {
	accepted, remote, e := s.accept(ctx, place)
	if e != 0 {
		return failure(call, e)
	}
	fd, ok := b.sockets.add(accepted)
	if !ok {
		accepted.close()
		return failure(call, wire.EMFILE)
	}
	return calls.Result(call.ID, fd, 0, calls.Named(accepted.basics().named(remote), call.AddressLen))
}

func receive(ctx context.Context, place *turn, s socket, call calls.Call) result {
	got, e := s.recv(ctx, place, call.Length, call.Flags)
	if e == 0 && call.Function == calls.Recv && got.in != nil {
		calls.AppendResult(got.in[:0], call.ID, int32(got.length), 0)
		return result{got.in[:calls.ResultSize+len(got.data)], got.in}
	}
	defer result{data: got.in}.release()
	switch {
	case e != 0:
		return result{message: failure(call, e)}
	case call.Function == calls.Recv:
		return result{message: calls.Result(call.ID, int32(got.length), 0, got.data)}
	}
	var from []byte
	if got.from.IsValid() {
		from = s.basics().named(got.from)
	}
	return result{message: calls.Result(call.ID, int32(got.length), 0, calls.From(got.data, from, call.AddressLen))}
}
