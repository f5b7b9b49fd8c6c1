package sockmux

import (
	"context"
	"strconv"
	"syscall/js"

	"github.com/sockmux/sockmux/shared/wire"
)

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

// errorIn returns the *wire.Error that a SocketError of the page's stands for. A DOMException
// has one as its cause. Any other exception is returned as it is.
func errorIn(v js.Value) error {
	if v.Type() == js.TypeObject && v.Get("code").Type() != js.TypeString && v.Get("cause").Type() == js.TypeObject {
		v = v.Get("cause")
	}
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
