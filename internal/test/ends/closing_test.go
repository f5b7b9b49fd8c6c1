package ends_test

import (
	"io"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/shared/wire"
)

// closings are the ways in which a program is done with a stream before the other end is: it
// closes its session, or the stream before the server has answered.
var closings = []way{
	{
		name: "the session is closed with an open stream", target: readsLate(slowBuffer, late), closes: true,
		client: func(sc *scene) {
			sc.send(sc.open(), 50_000)
			sc.client.Close()
		},
		want: seen{50_000, "EOF"}, code: "ok",
	},
	{
		name: "the session is closed with more than a window under way", target: lateReader, closes: true,
		client: func(sc *scene) {
			sc.send(sc.open(), moved)
			sc.client.Close()
		},
		want: seen{moved, "EOF"}, code: "ok",
	},
	{
		name: "the stream and then the session are closed", target: lateReader, closes: true,
		client: func(sc *scene) {
			s := sc.open()
			sc.send(s, moved)
			sc.must(s.Close())
			sc.client.Close()
		},
		want: seen{moved, "EOF"}, code: "ok",
	},
	{
		name: "the stream is closed before the answer", target: lateReader,
		client: func(sc *scene) {
			s, err := sc.client.Open(product.Request(sc.target))
			sc.must(err)
			sc.send(s, 100_000)
			sc.must(s.Close())
		},
		want: seen{100_000, "EOF"}, code: "ok",
	},
	{
		name: "the stream and the session are closed before the answer", target: lateReader, closes: true,
		client: func(sc *scene) {
			s, err := sc.client.Open(product.Request(sc.target))
			sc.must(err)
			sc.send(s, 100_000)
			sc.must(s.Close())
			sc.client.Close()
		},
		want: seen{100_000, "EOF"}, code: "ok",
	},
	{
		name: "the stream is not read any more, before the answer", target: lateReader,
		client: func(sc *scene) {
			s, err := sc.client.Open(product.Request(sc.target))
			sc.must(err)
			sc.must(s.CancelRead(wire.OK))
			sc.send(s, 100_000)
			sc.must(s.CloseWrite())
		},
		want: seen{100_000, "EOF"}, code: "ok",
	},
	{
		name: "the session is closed with a Write under way", target: lateReader, closes: true,
		client: func(sc *scene) {
			s := sc.open()
			writing := make(chan error, 1)
			go func() { // received from below
				_, err := io.Copy(s, data(1<<40)) // more than ever leaves
				writing <- err
			}()
			servertest.Eventually(sc.t, patience, "the first window is on its way", func() bool { return sc.proxy.Moved() > 1<<18 })
			sc.client.Close()
			if err := <-writing; err == nil {
				sc.t.Error("a Write that was cut succeeded")
			}
		},
		want: seen{-1, "reset"}, // the code tells which end was found first: the stream's or the session's
	},
}

func TestClosings(t *testing.T) { each(t, closings) }
