package strangers_test

import (
	"context"
	"encoding/binary"
	"io"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// A thousand strangers that send a message of 1 MiB but for its last byte take no memory to
// speak of.
func TestHalfHellosTakeNoMemory(t *testing.T) {
	const (
		strangers = 1056
		most      = 96<<20 + detector/4 // of RSS more than before
	)
	server := product.Start(t)
	before := server.RSS()
	// A frame of one binary message, masked with zeros (RFC 6455, 5.2).
	header := binary.BigEndian.AppendUint64([]byte{0x82, 0x80 | 127}, wire.MaxMessage)
	header = append(header, 0, 0, 0, 0)
	body := make([]byte, wire.MaxMessage-1)
	body[0] = byte(wire.TypeHello)
	slots := make(chan struct{}, 16) // as many send at once
	var tasks sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, address := range []string{hostile, honest} {
		from := newSource(t, address)
		for range strangers / 2 {
			slots <- struct{}{}
			tasks.Go(func() {
				defer func() { <-slots }()
				conn, err := from.upgrade(ctx, server)
				if err != nil {
					return // it has made room for another
				}
				_, _ = conn.Write(header)
				_, _ = io.Copy(conn, newBody(body)) // the server may have had enough
			})
		}
	}
	tasks.Wait()
	if more := server.PeakRSS() - before; more > most {
		t.Errorf("%d half hellos: RSS grew by %d MiB, want at most %d", strangers, more>>20, int64(most)>>20)
	} else {
		t.Logf("%d half hellos: RSS %d MiB before, %d MiB more at most", strangers, before>>20, more>>20)
	}
}

// newBody returns a reader of b that is no io.WriterTo: io.Copy writes pieces.
func newBody(b []byte) io.Reader { return &body{b} }

type body struct{ left []byte }

func (b *body) Read(to []byte) (int, error) {
	if len(b.left) == 0 {
		return 0, io.EOF
	}
	n := copy(to, b.left)
	b.left = b.left[n:]
	return n, nil
}
