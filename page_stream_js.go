package sockmux

import (
	"context"
	"syscall/js"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// pageStream is a socket of the page's connect(). It implements stream.
type pageStream struct {
	pageReader
	socket, writer js.Value
}

func newPageStream(socket js.Value) *pageStream {
	s := &pageStream{socket: socket, writer: socket.Get("writable").Call("getWriter")}
	s.init(socket.Get("readable"), bytesIn)
	return s
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
