package hostile_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/message"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// heldOf is how much of a target the server and the systems on the way hold at most for a page that
// reads nothing: the stream's window, and the buffers of two sockets.
const heldOf = 32 << 20

// frameOf is a frame of a WebSocket server.
func frameOf(first byte, payload []byte) []byte {
	if len(payload) > 125 {
		return append(binary.BigEndian.AppendUint16([]byte{first, 126}, uint16(len(payload))), payload...)
	}
	return append([]byte{first, byte(len(payload))}, payload...)
}

// acceptOf answers the key of a handshake (RFC 6455, section 1.3).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// socketTarget serves WebSockets by hand: serve has the connection behind the handshake.
func socketTarget(t testing.TB, serve func(conn *net.TCPConn, from *bufio.Reader)) netip.AddrPort {
	t.Helper()
	return product.Target(t, func(conn *net.TCPConn) {
		from := bufio.NewReader(conn)
		request, err := http.ReadRequest(from)
		if err != nil {
			return // the server has given up
		}
		if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+acceptOf(request.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n"); err == nil {
			serve(conn, from)
		}
	})
}

// rawTarget answers the handshake with any bytes, then reads to the end.
func rawTarget(t testing.TB, answer string, pieces int) netip.AddrPort {
	t.Helper()
	return product.Target(t, func(conn *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return // the server has given up
		}
		for range pieces {
			if _, err := io.WriteString(conn, answer); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn) // until the server's end
	})
}

// page is an honest session whose targets are hostile.
type page struct {
	client *client.Client
}

// socket opens a WebSocket to a target.
func (p page) socket(t testing.TB, at netip.AddrPort, limit time.Duration) *mux.Stream {
	t.Helper()
	s, err := p.client.Open(wire.Request{Kind: wire.WebSocket, Host: wire.HostOf(at.Addr()), Port: at.Port(), Timeout: limit})
	if err != nil {
		t.Fatal(err)
	}
	open, err := message.Open{Resource: "/"}.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Write(open) // the end tells
	return s
}

// endOf reads a stream to its end, or to most bytes, and returns its code; ok for that of a FIN.
func endOf(s *mux.Stream, most int64) wire.Code {
	defer s.Reset(wire.Aborted, "") // never fails
	result, err := s.Result(context.Background())
	if err == nil {
		err = result.Err()
	}
	if err == nil {
		_, err = io.CopyN(io.Discard, s, most)
	}
	var coded *wire.Error
	switch {
	case errors.As(err, &coded):
		return coded.Code
	case err == nil, errors.Is(err, io.EOF):
		return wire.OK
	}
	return wire.Internal
}

// hostileTargets has WebSockets to targets that break each rule of RFC 6455 or keep none of it. A
// stream ends with a code, and its session goes on.
func hostileTargets(t *testing.T, p *process, counts *table) {
	session := page{client.New(client.Config{Dial: product.Transport(p.ConnectURL())})}
	defer session.client.Close()
	stubbornEnds := stubborn(t, session, counts)
	defer stubbornEnds()
	const short = 2 * time.Second
	many := scaled(24, 1_000)
	for _, test := range []struct {
		input string
		at    netip.AddrPort
		want  wire.Code
	}{
		{"a handshake that does not end", rawTarget(t, "HTTP/1.1 101 Switching Protocols\r\nx: y\r\n", 1), wire.TimedOut},
		{"headers of 1 MiB", rawTarget(t, "HTTP/1.1 101 Switching Protocols\r\n"+strings.Repeat("x: "+strings.Repeat("y", 1000)+"\r\n", 1000), 1), wire.Refused},
		{"another key, a redirect", rawTarget(t, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", 1), wire.Refused},
		{"no HTTP", rawTarget(t, "\x00\xff\x00\xff\r\n", 100), wire.Refused},
		{"a frame that claims 2^62 bytes and ends", socketTarget(t, func(conn *net.TCPConn, _ *bufio.Reader) {
			_, _ = conn.Write(append(binary.BigEndian.AppendUint64([]byte{final | opBinary, 127}, 1<<62), make([]byte, 1<<16)...)) // the end tells
		}), wire.Reset},
		{"reserved bits", broken(t, frameOf(final|0x70|opText, []byte("x"))), wire.Protocol},
		{"an unknown opcode", broken(t, frameOf(final|5, []byte("x"))), wire.Protocol},
		{"a ping in pieces", broken(t, frameOf(opPing, []byte("x"))), wire.Protocol},
		{"a ping of 126 bytes", broken(t, frameOf(final|opPing, make([]byte, 126))), wire.Protocol},
		{"a continuation of nothing", broken(t, frameOf(final, []byte("x"))), wire.Protocol},
		{"a message in a message", broken(t, append(frameOf(opText, []byte("x")), frameOf(final|opText, []byte("x"))...)), wire.Protocol},
		{"a masked frame", broken(t, wsFrame(final|opText, []byte("x"))), wire.Protocol},
		{"a length of 2^63", broken(t, binary.BigEndian.AppendUint64([]byte{final | opBinary, 127}, 1<<63)), wire.Protocol},
		{"a length that could be shorter", broken(t, []byte{final | opBinary, 126, 0, 1, 0}), wire.Protocol},
		{"a close frame of one byte", broken(t, frameOf(final|opClose, []byte{3})), wire.Protocol},
		{"a close frame with code 1006", broken(t, frameOf(final|opClose, []byte{3, 0xee})), wire.Protocol},
		{"a close reason that is no UTF-8", broken(t, frameOf(final|opClose, []byte{15, 0xa0, 0xff})), wire.Protocol},
		{"a message behind the close frame", broken(t, append(frameOf(final|opClose, []byte{15, 0xa0}), frameOf(final|opText, []byte("x"))...)), wire.Protocol},
	} {
		row := counts.row("websocket", test.input)
		n := many
		if test.want == wire.TimedOut {
			n = 8
		}
		each(t, n, func(t testing.TB, _ int) {
			code := endOf(session.socket(t, test.at, short), 1<<30)
			if code != test.want {
				t.Errorf("%s: %s, want %s", test.input, code, test.want)
			}
			counts.add(row, 1, code.String())
		})
	}

	// The page gives up what goes on for ever.
	pongs := make(chan struct{}, 1)
	for _, test := range []struct {
		input string
		serve func(*net.TCPConn, *bufio.Reader)
	}{
		{"fragments without end", repeat(frameOf(opText, []byte("x")), frameOf(0, []byte("x")))},
		{"messages without end", repeat(nil, frameOf(final|opText, bytes.Repeat([]byte("x"), 1000)))},
		{"texts that are no UTF-8, without end", repeat(nil, frameOf(final|opText, []byte{0xff, 0xfe}))},
		{"pings without end, between messages", func(conn *net.TCPConn, from *bufio.Reader) {
			go func() { // ends with the connection
				if head, err := from.Peek(1); err == nil && head[0] == final|0xa {
					select {
					case pongs <- struct{}{}:
					default:
					}
				}
				_, _ = io.Copy(io.Discard, from) // so that pongs have room
			}()
			repeat(nil, append(frameOf(final|opPing, []byte("12345678")), frameOf(final|opText, []byte("x"))...))(conn, from)
		}},
	} {
		row := counts.row("websocket", test.input)
		at := socketTarget(t, test.serve)
		each(t, 8, func(t testing.TB, _ int) {
			code := endOf(session.socket(t, at, 0), int64(scaled(1<<16, 1<<20)))
			if code != wire.OK {
				t.Errorf("%s: %s", test.input, code)
			}
			counts.add(row, 1, "goes on")
		})
		if strings.HasPrefix(test.input, "pings") {
			<-pongs
		}
	}
	unreadMessages(t, session, counts)
	crowd(t, session, counts)
}

// broken is a target that sends some bytes behind the handshake.
func broken(t testing.TB, b []byte) netip.AddrPort {
	t.Helper()
	return socketTarget(t, func(conn *net.TCPConn, from *bufio.Reader) {
		_, _ = conn.Write(b)             // the end tells
		_, _ = io.Copy(io.Discard, from) // until the server's end
	})
}

// repeat sends frames again and again, behind others.
func repeat(first, again []byte) func(*net.TCPConn, *bufio.Reader) {
	again = bytes.Repeat(again, 1+(16<<10)/len(again))
	return func(conn *net.TCPConn, _ *bufio.Reader) {
		_, err := conn.Write(first)
		for err == nil {
			_, err = conn.Write(again)
		}
	}
}

// unreadMessages: a page that reads nothing makes the target wait.
func unreadMessages(t *testing.T, session page, counts *table) {
	row := counts.row("websocket", "a target that floods a page which reads nothing")
	taken := make(chan int, 8)
	at := socketTarget(t, func(conn *net.TCPConn, _ *bufio.Reader) {
		b, sum := frameOf(final|opBinary, make([]byte, 60_000)), 0
		for sum < 4*heldOf {
			_ = conn.SetWriteDeadline(time.Now().Add(2 * time.Second)) // never fails on an open socket
			n, err := conn.Write(b)
			sum += n
			if err != nil {
				break
			}
		}
		taken <- sum
	})
	each(t, 8, func(t testing.TB, _ int) {
		s := session.socket(t, at, 0)
		if n := <-taken; n > heldOf {
			t.Errorf("%d MiB were taken of the target, want %d at most", n>>20, heldOf>>20)
		}
		_ = s.Reset(wire.Aborted, "") // never fails
		counts.add(row, 1, "the target waits")
	})
}

// stubborn: a target that answers no close frame, and closes nothing, holds no stream for ever. The
// server waits as long as a browser does, so the caller waits for the rest meanwhile.
func stubborn(t *testing.T, session page, counts *table) (wait func()) {
	row := counts.row("websocket", "a close frame that is never answered")
	over := make(chan struct{})
	at := socketTarget(t, func(*net.TCPConn, *bufio.Reader) { <-over })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		each(t, 8, func(t testing.TB, _ int) {
			s := session.socket(t, at, 0)
			_, _ = s.Write(message.CloseRecord(1000, "").Append(nil)) // the end tells
			_ = s.CloseWrite()                                        // likewise
			code := endOf(s, 1<<30)
			if code != wire.Reset {
				t.Errorf("a close frame that is never answered: %s", code)
			}
			counts.add(row, 1, code.String())
		})
	}()
	return func() {
		<-ended
		close(over)
	}
}

// crowd: a page that opens thousands gets those that a session may have.
func crowd(t *testing.T, session page, counts *table) {
	row := counts.row("websocket", "thousands of WebSockets of one page")
	over := make(chan struct{})
	at := socketTarget(t, func(*net.TCPConn, *bufio.Reader) { <-over })
	var streams sync.Map
	opened := 0
	var mu sync.Mutex
	each(t, scaled(2_000, 10_000), func(t testing.TB, i int) {
		s := session.socket(t, at, 0)
		streams.Store(i, s)
		result, err := s.Result(context.Background())
		if err == nil {
			err = result.Err()
		}
		answer := wire.OK.String()
		var coded *wire.Error
		if errors.As(err, &coded) {
			answer = coded.Code.String()
		}
		mu.Lock()
		defer mu.Unlock()
		if err == nil {
			opened++
		} else if coded == nil || coded.Code != wire.Limit {
			t.Errorf("%v", err)
		}
		counts.add(row, 1, answer)
	})
	if opened == 0 {
		t.Error("no WebSocket was opened")
	}
	streams.Range(func(_, s any) bool {
		_ = s.(*mux.Stream).Reset(wire.Aborted, "") // never fails
		return true
	})
	close(over)
}
