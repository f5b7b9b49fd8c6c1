package hostile_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// requests are what mutations begin with, and hostile themselves from the third on.
var requests = []string{
	upgrade,
	"GET /sockmux.js HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"POST /v1/connect HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551616\r\n\r\n",
	"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF0\r\nx",
	"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x12\x04\x00\x00\x00\x00\x00",
	"GET /\r\n\r\n",
	"GET / HTTP/9.9\r\nHost: a\r\nHost: b\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + strings.Repeat("a", 40<<10) + "\r\n\r\n",
	"GET /" + strings.Repeat("a/", 30<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: localhost\r\n" + strings.Repeat("A: b\r\n", 8<<10) + "\r\n",
	"GET / HTTP/1.1\nHost: localhost\n folded: yes\n\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	"\x00\x00\x00\x00",
	"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\n\r\n",
	strings.Replace(upgrade, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Key: x", 1),
	strings.Replace(upgrade, "Version: 13", "Version: 8", 1),
	strings.Replace(upgrade, "sockmux.v1", "sockmux.v2", 1),
	strings.Replace(upgrade, "Host: localhost\r\n", "Host: localhost\r\nOrigin: https://evil.example\r\n", 1),
	strings.Replace(upgrade, "Host: localhost\r\n", "Host: evil.example\r\nOrigin: http://evil.example\r\n", 1),
}

// mutate changes some bytes: flips, deletions, repetitions, insertions of what matters in HTTP.
func mutate(random *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	words := []string{"\r\n", "\n", "\r", "\x00", ":", " ", "\t", "\xff", "Content-Length: -1\r\n", "Transfer-Encoding: chunked\r\n", "%00", "..", "HTTP/1.0", "Upgrade: h2c\r\n", "Expect: 100-continue\r\n"}
	for range 1 + random.IntN(6) {
		i := random.IntN(len(b))
		switch random.IntN(4) {
		case 0:
			b[i] ^= byte(1 << random.IntN(8))
		case 1:
			b = append(b[:i], b[min(len(b), i+1+random.IntN(8)):]...)
		case 2:
			b = append(b[:i:i], append(bytes.Clone(b[max(0, i-random.IntN(40)):i]), b[i:]...)...)
		case 3:
			b = append(b[:i:i], append([]byte(words[random.IntN(len(words))]), b[i:]...)...)
		}
		if len(b) == 0 {
			return []byte{'\n'}
		}
	}
	return b
}

// malformedHTTP sends requests and mutations of them: each is answered with a status that
// blames the client, is served as what it has become, or is cut.
func malformedHTTP(t *testing.T, p *process, counts *table) {
	row := counts.row("HTTP", "malformed and mutated requests")
	each(t, scaled(3000, 100_000), func(t testing.TB, i int) {
		random := rand.New(rand.NewPCG(5, uint64(i)))
		b := []byte(requests[i%len(requests)])
		if i >= len(requests) {
			b = mutate(random, b)
		}
		conn, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience)) // never fails on an open socket
		_, _ = conn.Write(b)                           // the server may have cut it already
		_ = conn.(*net.TCPConn).CloseWrite()           // as above
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			if e, ok := err.(net.Error); ok && e.Timeout() {
				t.Errorf("%.300q: nobody answered or cut it", b)
			}
			counts.add(row, 1, "cut")
			return
		}
		_, _ = io.Copy(io.Discard, response.Body) // may be cut as well
		_ = response.Body.Close()
		switch response.StatusCode {
		case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout: // 503 is for a script that is not built
			t.Errorf("%.300q: %s", b, response.Status)
		}
		counts.add(row, 1, fmt.Sprint(response.StatusCode))
	})
}

// slowLoris sends half requests, byte by byte: each is cut when its time is over.
func slowLoris(t *testing.T, p *process, counts *table) {
	row := counts.row("HTTP", "slow loris: half a request, then a byte every 50 ms")
	n := scaled(200, 2000)
	conns := make([]net.Conn, 0, n)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for range n {
		c, err := net.Dial("tcp", p.Addr())
		if err != nil {
			t.Error(err)
			return
		}
		conns = append(conns, c)
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\nX: ") // what fails is found below
	}
	open := conns
	drip := time.NewTicker(50 * time.Millisecond)
	defer drip.Stop()
	for began := time.Now(); len(open) > 0; <-drip.C {
		if time.Since(began) > handshake+patience/2 {
			t.Errorf("%d half requests are still open", len(open))
			return
		}
		var still []net.Conn
		for _, c := range open {
			if _, err := c.Write([]byte("a")); err == nil {
				still = append(still, c)
			} else {
				counts.add(row, 1, "cut after the handshake timeout")
			}
		}
		open = still
	}
}

// slowSockets are upgraded and then say nothing, or HELLO byte by byte, or half a message
// after it: each is cut when its time is over.
func slowSockets(t *testing.T, p *process, counts *table) {
	hello := wsFrame(final|opBinary, make([]byte, 2000))
	tests := []struct {
		input string
		begin func(testing.TB) *peer
		bytes []byte
		want  int
	}{
		{"upgraded, no HELLO", p.dial, nil, tryAgain},
		{"upgraded, HELLO byte by byte", p.dial, hello, tryAgain},
		{"a session, then a message byte by byte", p.greet, hello, lost}, // as a line that has died
	}
	each(t, len(tests), func(t testing.TB, i int) {
		test := tests[i]
		row := counts.row("WebSocket", test.input)
		n := scaled(50, 300) // all three together are fewer than the server takes (--max-sessions, 1000)
		peers := make(chan *peer, n)
		each(t, n, func(t testing.TB, _ int) { peers <- test.begin(t) })
		close(peers)
		var open []*peer
		codes := make(chan int, n)
		for e := range peers {
			open = append(open, e)
			go func() { codes <- e.follow() }()
		}
		drip := time.NewTicker(50 * time.Millisecond)
		for i, ended := 0, 0; ended < len(open); {
			select {
			case code := <-codes:
				ended++
				if code != test.want {
					t.Errorf("%s: %d, want %d", test.input, code, test.want)
				}
				counts.add(row, 1, closed(code))
			case <-drip.C:
				for _, e := range open {
					_ = e.raw(test.bytes[min(i, len(test.bytes)):min(i+1, len(test.bytes))]) // cut or not
				}
				i++
			}
		}
		drip.Stop()
	})
}
