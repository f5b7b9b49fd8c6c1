package client_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// Socket options and names go to servers that have the capability, and to no others once that is
// known. A request before the WELCOME never has the option, for an older server would refuse it.
func TestCapabilities(t *testing.T) {
	options := wire.SocketOptions{NoDelay: wire.Off}
	request := target
	request.Socket = options
	for _, test := range []struct {
		name   string
		can    wire.Capabilities
		opens  bool               // names
		second wire.SocketOptions // of a request behind the WELCOME
	}{
		{"new server", wire.CanSocketOptions | wire.CanResolve, true, options},
		{"old server", 0, false, wire.SocketOptions{}},
	} {
		synctest.Test(t, func(t *testing.T) {
			type seen struct{ request, all wire.SocketOptions }
			streams := make(chan seen, 4)
			s := &server{t: t, handle: func(stream *mux.Stream) {
				if stream.Request().Kind == wire.Resolve {
					answer := wire.Addresses{TTL: time.Minute, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
					_, _ = stream.Write(answer.Append(nil)) // the client checks what comes
					return
				}
				_, _ = stream.Read(make([]byte, 1)) // until the client has ended the stream
				got := seen{request: stream.Request().Socket}
				stream.EachSocketOptions(func(all wire.SocketOptions) { got.all = all })
				streams <- got
			}}
			opened := make(chan struct{}) // the first request is on its way
			s.set(func(h wire.Hello) wire.Message {
				<-opened
				if want := wire.CanSocketOptions | wire.CanResolve; h.Capabilities&want != want {
					t.Errorf("hello with capabilities %b", h.Capabilities)
				}
				w := welcome(h).(wire.Welcome)
				w.Capabilities |= test.can
				return w
			})
			c := client.New(client.Config{Dial: s.dial})
			for i, want := range []seen{{wire.SocketOptions{}, options}, {test.second, test.second}} {
				stream, err := c.Open(request)
				if i == 0 {
					close(opened)
				}
				if err != nil {
					t.Fatal(err)
				}
				if _, err := stream.Result(t.Context()); err != nil {
					t.Fatal(err)
				}
				synctest.Wait() // the control message has come
				_ = stream.Close()
				if got := <-streams; got != want {
					t.Errorf("%s, stream %d: %+v, want %+v", test.name, i, got, want)
				}
			}
			answer, err := c.Resolve(t.Context(), "a.example", 0)
			if got := err == nil && len(answer.Addrs) == 1 && answer.TTL == time.Minute; got != test.opens {
				t.Errorf("%s: names: %+v, %v", test.name, answer, err)
			}
			if !test.opens && !errors.Is(err, wire.NewError(wire.UnsupportedKind, "")) {
				t.Errorf("%s: names: %v", test.name, err)
			}
			ended, cancel := context.WithCancelCause(t.Context())
			gone := errors.New("gone")
			cancel(gone)
			if _, err := c.Resolve(ended, "a.example", 0); test.opens && !errors.Is(err, gone) {
				t.Errorf("%s: a question that is given up: %v", test.name, err)
			}
			c.Close()
			s.close()
		})
	}
}
