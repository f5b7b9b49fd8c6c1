// Package page is what the Go programs of the examples' pages have in common: functions that a
// page calls, and promises in both directions.
//
//	page.Export("fetchText", func(args []js.Value) (any, error) { return fetchText(args[0].String()) })
package page

import (
	"errors"
	"syscall/js"

	"github.com/sockmux/sockmux/shared/wire"
)

// Export sets a global function that returns a promise. f runs in a goroutine of its own.
func Export(name string, f func(args []js.Value) (any, error)) {
	js.Global().Set(name, js.FuncOf(func(_ js.Value, args []js.Value) any { return Promise(func() (any, error) { return f(args) }) }))
}

// Promise returns a promise of what f returns. f runs in a goroutine of its own.
func Promise(f func() (any, error)) js.Value {
	executor := js.FuncOf(func(_ js.Value, settle []js.Value) any {
		go func() {
			if value, err := f(); err != nil {
				settle[1].Invoke(exception(err))
			} else {
				settle[0].Invoke(value)
			}
		}()
		return nil
	})
	defer executor.Release() // the constructor has called it
	return js.Global().Get("Promise").New(executor)
}

// exception returns an Error with the message of err and, if the server gave a reason, its code.
func exception(err error) js.Value {
	value := js.Global().Get("Error").New(err.Error())
	var coded *wire.Error
	if errors.As(err, &coded) {
		value.Set("code", coded.Code.String())
	}
	var reason Reason
	if errors.As(err, &reason) {
		value.Set("code", reason.Code)
	}
	return value
}

// A Reason is an error with a code for the page's script.
type Reason struct {
	Code string
	Err  error
}

func (r Reason) Error() string { return r.Err.Error() }
func (r Reason) Unwrap() error { return r.Err }

// Await waits until a promise has settled. An exception is an error.
func Await(promise js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	yes := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{value: args[0]}
		return nil
	})
	defer yes.Release()
	no := js.FuncOf(func(_ js.Value, args []js.Value) any {
		settled <- outcome{err: js.Error{Value: args[0]}}
		return nil
	})
	defer no.Release()
	promise.Call("then", yes, no)
	o := <-settled
	return o.value, o.err
}

// Bytes returns a copy of a Uint8Array.
func Bytes(array js.Value) []byte {
	b := make([]byte, array.Length())
	js.CopyBytesToGo(b, array)
	return b
}

// Array returns a copy in a Uint8Array.
func Array(b []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(array, b)
	return array
}
