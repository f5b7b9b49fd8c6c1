package frames

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/message"
)

// pair returns a WebSocket behind its handshake, and the server's end of its connection.
func pair(t testing.TB) (*Conn, net.Conn) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return newConn(client, client, ""), server
}

// sent is a frame of a client.
type sent struct {
	first   byte
	payload string
}

// receive reads frames of a client, which are masked, until its close frame or its end.
func receive(t testing.TB, server net.Conn) []sent {
	t.Helper()
	var frames []sent
	for {
		var head [2]byte
		if _, err := io.ReadFull(server, head[:]); err != nil {
			return frames
		}
		length := uint64(head[1] & bitsLength)
		var long [8]byte
		switch length {
		case length16:
			_, _ = io.ReadFull(server, long[6:]) // the length tells
			length = binary.BigEndian.Uint64(long[:])
		case length64:
			_, _ = io.ReadFull(server, long[:]) // likewise
			length = binary.BigEndian.Uint64(long[:])
		}
		var key [maskSize]byte
		payload := make([]byte, length)
		_, _ = io.ReadFull(server, key[:]) // likewise
		if _, err := io.ReadFull(server, payload); err != nil || head[1]&bitMasked == 0 {
			t.Errorf("a frame that is cut or not masked: %x, %v", head, err)
			return frames
		}
		for i := range payload {
			payload[i] ^= key[i%maskSize]
		}
		frames = append(frames, sent{head[0], string(payload)})
		if opcode(head[0]&bitsOpcode) == opClose {
			return frames
		}
	}
}

// readAll returns what Read gives until its end: a line for each message.
func readAll(c *Conn, size int) (messages []string, end error) {
	b := make([]byte, size)
	text := ""
	for {
		n, piece, err := c.Read(b)
		if err != nil {
			return messages, err
		}
		if piece.First {
			text = "bytes "
			if piece.Text {
				text = "text "
			}
		}
		text += string(b[:n])
		if piece.Last {
			messages = append(messages, text)
		}
	}
}

// TestRead: what a server may send, and each way in which it breaks the protocol.
func TestRead(t *testing.T) {
	long := strings.Repeat("l", 70_000)
	head64 := binary.BigEndian.AppendUint64([]byte{bitFinal | byte(opBinary), length64}, 70_000)
	for _, test := range []struct {
		what, bytes string
		messages    []string
		end         string // "" for a connection that ends
		answers     []sent
	}{
		{"messages", "\x81\x01a\x82\x02bc\x81\x00\x82\x00", []string{"text a", "bytes bc", "text ", "bytes "}, "", nil},
		{"pieces", "\x01\x01a\x00\x00\x00\x02bc\x80\x01d\x02\x00\x80\x00", []string{"text abcd", "bytes "}, "", nil},
		{"lengths", "\x82\x7e\x00\x7e" + long[:126] + string(head64) + long, []string{"bytes " + long[:126], "bytes " + long}, "", nil},
		{"pings", "\x01\x01a\x89\x03one\x80\x01b\x89\x00\x8a\x01x", []string{"text ab"}, "", []sent{{0x8a, "one"}, {0x8a, ""}}},
		{"a close", "\x81\x01a\x88\x05\x0f\xa1why", []string{"text a"}, `the other end closed with 4001: "why"`, []sent{{0x88, "\x0f\xa1why"}}},
		{"a close without a code", "\x88\x00", nil, `the other end closed with 1005: ""`, []sent{{0x88, ""}}},
		{"a code that no RFC has", "\x88\x02\x00\x00", nil, `the other end closed with 0: ""`, []sent{{0x88, "\x00\x00"}}},
		{"a frame behind the close", "\x88\x00\x89\x00", nil, "a frame behind the close frame", []sent{{0x88, ""}}},
		{"reserved bits", "\xc1\x01a", nil, "a reserved bit is set", nil},
		{"an unknown opcode", "\x83\x01a", nil, "an unknown opcode", nil},
		{"an unknown control opcode", "\x8b\x01a", nil, "an unknown opcode", nil},
		{"a ping in pieces", "\x09\x01a", nil, "a control frame in pieces or of more than 125 bytes", nil},
		{"a long ping", "\x89\x7e\x00\x7e" + long[:126], nil, "a control frame in pieces or of more than 125 bytes", nil},
		{"a masked frame", "\x81\x81\x00\x00\x00\x00a", nil, "a masked frame", nil},
		{"a continuation", "\x80\x01a", nil, "a continuation frame without a message", nil},
		{"a message in a message", "\x01\x01a\x81\x01b", nil, "a message inside another", nil},
		{"a length of 125 in two bytes", "\x82\x7e\x00\x7d", nil, "a length that is not in its shortest form, or is negative", nil},
		{"a length of 65535 in eight bytes", "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", nil, "a length that is not in its shortest form, or is negative", nil},
		{"a negative length", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", nil, "a length that is not in its shortest form, or is negative", nil},
		{"a close of one byte", "\x88\x01\x03", nil, "a close frame of one byte", nil},
		{"a close with 1005", "\x88\x02\x03\xed", nil, "a close frame with a code that is reserved", nil},
		{"a close reason that is no UTF-8", "\x88\x04\x0f\xa1\xff\xfe", nil, "a close frame whose reason is not UTF-8", nil},
	} {
		sizes := []int{1, 3, 100_000}
		if len(test.bytes) > len(long) {
			sizes = []int{4_000, 100_000} // a pipe is slow
		}
		for _, size := range sizes {
			c, server := pair(t)
			received := make(chan []sent, 1)
			go func() {
				received <- receive(t, server)
				if strings.HasPrefix(test.end, "the other end closed") {
					_ = server.Close() // never fails
				}
			}()
			go func() {
				_, _ = io.WriteString(server, test.bytes) // the end tells
				if test.end == "" {
					_ = server.Close() // never fails
				}
			}()
			messages, end := readAll(c, size)
			_ = c.CloseNow() // never fails
			answers := <-received
			var broken *ProtocolError
			want := test.end
			switch {
			case errors.As(end, &broken):
				end = errors.New(broken.Rule)
				if test.answers == nil {
					test.answers = []sent{{0x88, "\x03\xea" + want}}
				}
			case want == "":
				want = io.EOF.Error()
			}
			if strings.Join(messages, "\n") != strings.Join(test.messages, "\n") || end.Error() != want && end.Error() != io.ErrClosedPipe.Error() {
				t.Errorf("%s, %d bytes at a time: %.100q, %v, want %.100q, %s", test.what, size, messages, end, test.messages, want)
			}
			if again, _, err := c.Read(make([]byte, 1)); again != 0 || err == nil {
				t.Errorf("%s: Read goes on: %v", test.what, err)
			}
			if want != io.EOF.Error() && !equal(answers, test.answers) {
				t.Errorf("%s: the server got %q, want %q", test.what, answers, test.answers)
			}
		}
	}
}

func equal(a, b []sent) bool {
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestWrite: frames of each length arrive as they were given, and what was given stays as it is.
func TestWrite(t *testing.T) {
	c, server := pair(t)
	received := make(chan []sent, 1)
	go func() { received <- receive(t, server) }()
	var want []sent
	for _, size := range []int{0, 1, 7, 125, 126, 65_535, 65_536, 1_000_003} {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(i)
		}
		given := string(b)
		if err := c.Write(b, Piece{First: true, Last: true}); err != nil {
			t.Fatal(err)
		}
		want = append(want, sent{0x82, given})
		if string(b) != given {
			t.Errorf("Write has changed %d bytes", size)
		}
	}
	for _, piece := range []Piece{{Text: true, First: true}, {Text: true}, {Text: true, Last: true}} {
		if err := c.Write([]byte("x"), piece); err != nil {
			t.Fatal(err)
		}
	}
	want = append(want, sent{0x01, "x"}, sent{0x00, "x"}, sent{0x80, "x"})
	if err := c.Close(message.NoCode, ""); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(3000, "again"); !errors.Is(err, ErrClosing) {
		t.Errorf("the second Close: %v", err)
	}
	if err := c.Write(nil, Piece{First: true, Last: true}); !errors.Is(err, ErrClosing) {
		t.Errorf("Write behind Close: %v", err)
	}
	_ = c.CloseNow() // never fails
	if got := <-received; !equal(got, append(want, sent{0x88, ""})) {
		t.Errorf("%.300q", got)
	}
}

// TestPongBehindWrite: a ping that comes while a frame waits for the server is answered behind it,
// and only the last of them. Read does not wait.
func TestPongBehindWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, server := pair(t)
		written := make(chan error, 1)
		go func() { written <- c.Write([]byte("slow"), Piece{First: true, Last: true}) }()
		synctest.Wait()                                                              // it waits for the server
		go func() { _, _ = io.WriteString(server, "\x89\x01a\x89\x01b\x81\x01x") }() // the message tells
		b := make([]byte, 10)
		if n, piece, err := c.Read(b); n != 1 || !piece.Last || err != nil {
			t.Errorf("%d, %v, %v", n, piece, err)
		}
		received := make(chan []sent, 1)
		go func() { received <- receive(t, server) }()
		if err := <-written; err != nil {
			t.Error(err)
		}
		_ = c.CloseNow() // never fails
		if got := <-received; !equal(got, []sent{{0x82, "slow"}, {0x8a, "b"}}) {
			t.Errorf("%q", got)
		}
	})
}

// TestServerThatWaits: a server that answers no close frame, or does not end the connection behind
// both, or reads nothing, is waited for as long as Chromium does.
func TestServerThatWaits(t *testing.T) {
	for what, test := range map[string]struct {
		act  func(c *Conn, server net.Conn)
		end  string
		wait time.Duration
	}{
		"no answer": {func(c *Conn, server net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, server) }()
			_ = c.Close(1000, "") // the end tells
		}, ErrUnanswered.Error(), closeTimeout},
		"no end": {func(_ *Conn, server net.Conn) {
			go func() { _, _ = io.Copy(io.Discard, server) }()
			_, _ = io.WriteString(server, "\x88\x02\x0f\xa1") // the end tells
		}, `the other end closed with 4001: ""`, endTimeout},
		"reads nothing": {func(_ *Conn, server net.Conn) {
			_, _ = io.WriteString(server, "\x88\x02\x0f\xa1") // the end tells
		}, `the other end closed with 4001: ""`, 2 * endTimeout},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, server := pair(t)
				began := time.Now()
				go test.act(c, server)
				_, end := readAll(c, 100)
				if end.Error() != test.end || time.Since(began) != test.wait {
					t.Errorf("%v after %v, want %s after %v", end, time.Since(began), test.end, test.wait)
				}
				_, _ = c.CloseNow(), server.Close() // never fail
				synctest.Wait()
			})
		})
	}
}

// FuzzRead: bytes of a server end in an error, and cost no more than they are.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"", "\x81\x01a", "\x01\x01a\x89\x00\x80\x00", "\x88\x02\x0f\xa1", "\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00x", "\x82\x7e\x00\x7d"} {
		f.Add([]byte(seed), uint16(3))
	}
	f.Fuzz(func(t *testing.T, b []byte, size uint16) {
		c := newConn(deaf{}, deaf{Reader: bytes.NewReader(b)}, "")
		messages, err := readAll(c, 1+int(size))
		total := 0
		for _, m := range messages {
			total += len(m) - len("bytes ")
		}
		if err == nil || total > len(b) {
			t.Errorf("%d bytes of %d, %v", total, len(b), err)
		}
	})
}

// deaf is a connection that takes and drops everything.
type deaf struct {
	net.Conn
	io.Reader
}

func (d deaf) Read(b []byte) (int, error)         { return d.Reader.Read(b) }
func (d deaf) Write(b []byte) (int, error)        { return len(b), nil }
func (d deaf) Close() error                       { return nil }
func (d deaf) SetReadDeadline(_ time.Time) error  { return nil }
func (d deaf) SetWriteDeadline(_ time.Time) error { return nil }
