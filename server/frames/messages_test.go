package frames

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/sockmux/sockmux/shared/budget"
)

// served returns the server's end of a WebSocket, and the client's end of its connection.
func served(t testing.TB, longest int, memory *budget.Account) (*Messages, net.Conn) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	m := newMessages(server, nil)
	m.Admit(longest, memory, func() {})
	return m, client
}

// masked is a frame of a client.
func masked(op opcode, final bool, payload []byte) []byte {
	key := [maskSize]byte{1, 2, 3, 4}
	b := append(appendHead(nil, op, final, len(payload), true), key[:]...)
	at := len(b)
	b = append(b, payload...)
	mask(b[at:], b[at:], key)
	return b
}

// random returns n bytes.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
}

// TestReceive gives messages as a client has sent them, in one frame or in many, with control
// frames between, and however the network cuts them. It keeps longest bytes of one at most.
func TestReceive(t *testing.T) {
	const longest = 300_000
	account := budget.New(1<<30, 1).Account()
	m, client := served(t, longest, account)
	go func() { _, _ = io.Copy(io.Discard, client) }() // pongs
	sizes := []int{0, 1, 125, 126, 4000, 4096, 4097, 1, 65_535, 65_536, largeBuffer, largeBuffer + 1, 7, 200_000, longest, longest + 1, 1_000_000, 3}
	sent := make(chan error, 1)
	go func() {
		for i, size := range sizes {
			payload := random(size)
			frames := masked(opBinary, true, payload)
			if i%2 == 1 { // three frames, and a ping between
				a, b := size/3, size/2
				frames = bytes.Join([][]byte{
					masked(opBinary, false, payload[:a]), masked(opPing, true, []byte("?")), masked(opContinuation, false, payload[a:b]), masked(opContinuation, true, payload[b:]),
				}, nil)
			}
			for piece := range 1 + len(frames)/10_000 {
				if _, err := client.Write(frames[piece*10_000 : min(len(frames), (piece+1)*10_000)]); err != nil {
					sent <- err
					return
				}
			}
		}
		sent <- nil
	}()
	for _, size := range sizes {
		got, cut, err := m.Receive()
		if want := random(size)[:min(size, longest)]; err != nil || !bytes.Equal(got, want) || cut != (size > longest) {
			t.Fatalf("of %d bytes: %d, cut %t, %v", size, len(got), cut, err)
		}
		if held, most := account.Held(), int64(longest+largeBuffer); held > most || size > smallBuffer && held == 0 {
			t.Errorf("%d bytes are held for a message of %d", held, size)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	m.in.next() // as the next Receive
	if n := account.Held(); n != 0 {
		t.Errorf("%d bytes are held while nothing comes", n)
	}
}

// TestReceiveWhereMemoryIsScarce keeps the beginning of a message.
func TestReceiveWhereMemoryIsScarce(t *testing.T) {
	account := budget.New(largeBuffer+1, 1).Account()
	m, client := served(t, 1<<20, account)
	payload := random(3 * largeBuffer)
	go func() {
		_, _ = client.Write(append(masked(opBinary, true, payload), masked(opBinary, true, []byte("next"))...))
	}() // what comes tells
	if got, cut, err := m.Receive(); err != nil || !cut || !bytes.Equal(got, payload[:largeBuffer]) {
		t.Errorf("%d bytes, cut %t, %v", len(got), cut, err)
	}
	if got, cut, err := m.Receive(); err != nil || cut || string(got) != "next" {
		t.Errorf("%q, cut %t, %v", got, cut, err)
	}
}

// TestReceiveEnds: each end of a client, and each way in which it breaks the protocol, with the
// close code that it gets.
func TestReceiveEnds(t *testing.T) {
	plain := func(op opcode, payload string) []byte {
		b := appendHead(nil, op, true, len(payload), false)
		return append(b, payload...)
	}
	code := func(n uint16, reason string) []byte {
		return append(binary.BigEndian.AppendUint16(nil, n), reason...)
	}
	for what, test := range map[string]struct {
		sent []byte
		end  string
		code uint16 // 0: the connection is cut
	}{
		"closed":                     {masked(opClose, true, code(1000, "")), io.EOF.Error(), 1000},
		"gone":                       {masked(opClose, true, code(1001, "bye")), io.EOF.Error(), 1001},
		"no code":                    {masked(opClose, true, nil), io.EOF.Error(), 1005},
		"an error":                   {masked(opClose, true, code(4001, "why")), `the other end closed with 4001: "why"`, 4001},
		"cut":                        {nil, io.ErrUnexpectedEOF.Error(), 0},
		"cut in a head":              {masked(opBinary, true, random(1000))[:3], io.ErrUnexpectedEOF.Error(), 0},
		"cut in a frame":             {masked(opBinary, true, random(1000))[:500], io.ErrUnexpectedEOF.Error(), 0},
		"text":                       {masked(opText, true, []byte("hello")), errText.Error(), 1003},
		"not masked":                 {plain(opBinary, "a"), "a frame that is not masked", 1002},
		"reserved bits":              {[]byte{0xc2, 0x80}, "a reserved bit is set", 1002},
		"an unknown opcode":          {[]byte{0x83, 0x80}, "an unknown opcode", 1002},
		"a ping in pieces":           {masked(opPing, false, nil), "a control frame in pieces or of more than 125 bytes", 1002},
		"a continuation":             {masked(opContinuation, true, nil), "a continuation frame without a message", 1002},
		"a message in another":       {append(masked(opBinary, false, nil), masked(opBinary, true, nil)...), "a message inside another", 1002},
		"a length not in short form": {[]byte{0x82, 0xfe, 0, 125, 0, 0, 0, 0}, "a length that is not in its shortest form, or is negative", 1002},
		"a negative length":          {[]byte{0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "a length that is not in its shortest form, or is negative", 1002},
		"a close of one byte":        {masked(opClose, true, []byte{3}), "a close frame of one byte", 1002},
	} {
		m, client := served(t, 1<<20, nil)
		got := make(chan string, 1)
		go func() {
			_, _ = client.Write(test.sent) // the end tells
			if test.code == 0 {
				_ = client.Close() // never fails
				got <- "0"
				return
			}
			var head [2]byte
			_, _ = io.ReadFull(client, head[:]) // what is missing the test sees
			payload := make([]byte, head[1])
			_, _ = io.ReadFull(client, payload) // likewise
			answer := uint16(1005)
			if len(payload) >= 2 {
				answer = binary.BigEndian.Uint16(payload)
			}
			got <- fmt.Sprint(answer)
			_, _ = client.Write(masked(opClose, true, payload)) // it may be closed
			_ = client.Close()                                  // never fails
		}()
		_, _, err := m.Receive()
		var broken *ProtocolError
		if errors.As(err, &broken) {
			err = errors.New(broken.Rule)
		}
		if code := <-got; err == nil || err.Error() != test.end || code != fmt.Sprint(test.code) {
			t.Errorf("%s: %v, closed with %s; want %s, %d", what, err, code, test.end, test.code)
		}
		if _, _, again := m.Receive(); again == nil {
			t.Errorf("%s: Receive goes on", what)
		}
		if err := m.Send([]byte("x")); err == nil {
			t.Errorf("%s: Send goes on", what)
		}
		_ = m.Close(1000, "") // it may have ended
	}
}

// TestSend: messages of each length arrive, alone and together.
func TestSend(t *testing.T) {
	m, client := served(t, 0, nil)
	sizes := []int{0, 1, 125, 126, 3000, 16_383, 16_384, 65_535, 65_536, bufferSize - maxHeadSize, bufferSize, 200_000, 5}
	go func() {
		for _, size := range sizes {
			_ = m.Send(random(size)) // what is missing the test sees
		}
		var all [][]byte
		for _, size := range sizes {
			all = append(all, random(size))
		}
		_ = m.Send(all...) // likewise
	}()
	c := newConn(client, client, "")
	b := make([]byte, 300_000)
	for i := range 2 * len(sizes) {
		size, got := sizes[i%len(sizes)], []byte(nil)
		for {
			n, piece, err := c.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, b[:n]...); piece.Last {
				break
			}
		}
		if !bytes.Equal(got, random(size)) {
			t.Errorf("of %d bytes: %d", size, len(got))
		}
	}
}

// TestPing: a pong answers its ping, also while a message waits for the client. A client that
// answers nothing is not waited for behind the end of the context.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, client := served(t, 1<<20, nil)
		ended := make(chan error, 3)
		go func() {
			_, _, err := m.Receive()
			ended <- err
		}()
		go func() { ended <- m.Send(random(10)) }()
		synctest.Wait() // it waits for the client
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := m.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a ping that is not answered: %v", err)
		}
		cancel()
		go func() { ended <- m.Ping(t.Context()) }()
		synctest.Wait()
		var pings []string
		for range 2 {
			var head [2]byte
			_, _ = io.ReadFull(client, head[:]) // the payload tells
			payload := make([]byte, head[1])
			if _, err := io.ReadFull(client, payload); err != nil {
				t.Fatal(err)
			}
			if opcode(head[0]&bitsOpcode) == opPing {
				pings = append(pings, string(payload))
			}
		}
		if len(pings) != 1 {
			t.Fatalf("%d pings, want the last", len(pings))
		}
		for _, pong := range []string{"", "unasked!", pings[0]} {
			_, _ = client.Write(masked(opPong, true, []byte(pong))) // the answer tells
		}
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		m.Abort()
		if err := <-ended; err == nil {
			t.Error("Receive goes on behind Abort")
		}
	})
}

// TestClose waits for the client's close frame, drops what comes before it, and ends in any case.
func TestClose(t *testing.T) {
	for what, test := range map[string]struct {
		dismissed bool
		sent      []byte
		took      time.Duration
	}{
		"answered":         {false, append(masked(opBinary, true, random(100_000)), masked(opClose, true, nil)...), 0},
		"not answered":     {false, masked(opBinary, true, random(100_000)), answerTimeout},
		"dismissed":        {true, append(masked(opBinary, true, random(100)), masked(opClose, true, nil)...), 0},
		"dismissed, long":  {true, masked(opBinary, true, random(maxDismissed+1)), 0},
		"dismissed, mute":  {true, nil, endTimeout},
		"text was refused": {false, append(masked(opText, true, random(100_000)), masked(opClose, true, nil)...), 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			m, client := served(t, 1<<20, nil)
			go func() { _, _ = client.Write(test.sent) }()                                   // the end tells
			go func() { time.Sleep(time.Microsecond); _, _ = io.Copy(io.Discard, client) }() // likewise
			if what == "text was refused" {
				_, _, _ = m.Receive() // TestReceiveEnds looks at it
			}
			if test.dismissed {
				m.Dismiss()
			}
			began := time.Now()
			_ = m.Close(4001, "why") // it may be cut
			if took := time.Since(began).Round(time.Millisecond); took != test.took {
				t.Errorf("%s: Close took %s, want %s", what, took, test.took)
			}
			if _, _, err := m.Receive(); err == nil {
				t.Errorf("%s: Receive goes on", what)
			}
			synctest.Wait()
		})
	}
}

// TestAccept takes a client of another library, and refuses requests that are no handshake.
func TestAccept(t *testing.T) {
	tcp := func(c net.Conn) (*net.TCPConn, bool) {
		tcp, ok := c.(*net.TCPConn)
		return tcp, ok
	}
	ends := make(chan error, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, err := Accept(w, r, "binary", tcp)
		if err != nil {
			ends <- err
			return
		}
		m.Admit(1<<20, nil, func() {})
		for {
			message, _, err := m.Receive()
			if err != nil {
				_ = m.Close(1000, "") // it has ended
				ends <- err
				return
			}
			if err := m.Send(message); err != nil {
				t.Error(err)
			}
		}
	}))
	defer server.Close()
	for _, offered := range [][]string{nil, {"binary"}, {"other", "binary"}} {
		c, _, err := websocket.Dial(t.Context(), server.URL, &websocket.DialOptions{Subprotocols: offered})
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadLimit(-1)
		for _, size := range []int{0, 10, 100_000} {
			if err := c.Write(t.Context(), websocket.MessageBinary, random(size)); err != nil {
				t.Fatal(err)
			}
			if _, got, err := c.Read(t.Context()); err != nil || !bytes.Equal(got, random(size)) {
				t.Errorf("of %d bytes: %d, %v", size, len(got), err)
			}
		}
		if want := strings.Join(offered, ","); strings.TrimPrefix(want, "other,") != c.Subprotocol() {
			t.Errorf("of %q the server chose %q", want, c.Subprotocol())
		}
		if err := c.Close(1000, ""); err != nil {
			t.Error(err)
		}
		if err := <-ends; err != io.EOF {
			t.Errorf("the end is %v", err)
		}
	}
	good := map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	for _, test := range []struct {
		method, name, value string
		status              int
	}{
		{"GET", "Connection", "keep-alive", 426},
		{"GET", "Upgrade", "h2c", 426},
		{"POST", "Upgrade", "websocket", 405},
		{"GET", "Sec-WebSocket-Version", "8", 400},
		{"GET", "Sec-WebSocket-Key", "", 400},
		{"GET", "Sec-WebSocket-Key", "c2hvcnQ=", 400},
		{"GET", "Upgrade", "websocket", 501}, // the recorder's connection cannot be taken
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		for name, value := range good {
			r.Header.Set(name, value)
		}
		r.Header.Set(test.name, test.value)
		w := httptest.NewRecorder()
		if _, err := Accept(w, r, "binary", tcp); err == nil || w.Code != test.status {
			t.Errorf("%s with %s %q: %d, %v; want %d", test.method, test.name, test.value, w.Code, err, test.status)
		}
	}
	if got := acceptOf("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // RFC 6455, section 1.3
		t.Error(got)
	}
}

// TestReceiveAllocates holds that a message that fits into the large buffer takes no memory.
func TestReceiveAllocates(t *testing.T) {
	for _, size := range []int{20, 4000, 32 << 10} {
		m := newMessages(deaf{Reader: new(endless).of(masked(opBinary, true, random(size)))}, nil)
		m.Admit(1<<20, nil, func() {})
		if n := testing.AllocsPerRun(100, func() { _, _, _ = m.Receive() }); n > 0 {
			t.Errorf("a message of %d bytes allocates %.1f times", size, n)
		}
	}
}

// endless repeats bytes.
type endless struct {
	b  []byte
	at int
}

func (e *endless) of(b []byte) *endless {
	e.b = b
	return e
}

func (e *endless) Read(b []byte) (n int, err error) {
	n = copy(b, e.b[e.at:])
	e.at = (e.at + n) % len(e.b)
	return n, nil
}

// FuzzReceive: bytes of a client end in an error, and cost no more than they are.
func FuzzReceive(f *testing.F) {
	for _, seed := range [][]byte{nil, masked(opBinary, true, []byte("a")), append(masked(opBinary, false, []byte("a")), masked(opContinuation, true, nil)...), masked(opClose, true, nil), masked(opPing, true, []byte("x")), {0x82, 0xff, 0, 0, 0, 0, 0, 0, 0, 0}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := newMessages(deaf{Reader: bytes.NewReader(b)}, nil)
		account := budget.New(1<<30, 1).Account()
		m.Admit(1000, account, func() {})
		total := 0
		for {
			message, _, err := m.Receive()
			if total += len(message); err != nil {
				break
			}
			if len(message) > 1000 {
				t.Errorf("a message of %d bytes", len(message))
			}
		}
		if total > len(b) || account.Held() != 0 {
			t.Errorf("%d bytes of %d, %d are held", total, len(b), account.Held())
		}
	})
}
