package demo_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestEcho(t *testing.T) {
	if got := say(t, dial(t, start(t), "echo"), "hello", true); got != "hello" {
		t.Errorf("%q", got)
	}
}

func TestDiscard(t *testing.T) {
	if got := say(t, dial(t, start(t), "discard"), strings.Repeat("x", 1<<20), true); got != "" {
		t.Errorf("%q", got)
	}
}

func TestDaytime(t *testing.T) {
	line := say(t, dial(t, start(t), "daytime"), "", false)
	at, err := time.Parse("Monday, January 2, 2006 15:04:05-MST\r\n", line)
	if err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("%q: %v", line, err)
	}
}

func TestChargen(t *testing.T) {
	reader := bufio.NewReader(dial(t, start(t), "chargen"))
	for i := range 200 {
		line, err := reader.ReadString('\n')
		if err != nil || len(line) != 74 || !strings.HasSuffix(line, "\r\n") || line[0] != byte(' '+i%95) || line[1] != byte(' '+(i+1)%95) {
			t.Fatalf("line %d: %q, %v", i, line, err)
		}
	}
}

func TestDownload(t *testing.T) {
	d := start(t)
	for _, n := range []int{0, 1, 251, 1_000_003} {
		got := say(t, dial(t, d, "download"), fmt.Sprintf("%d\n", n), false)
		if len(got) != n {
			t.Fatalf("%d bytes; want %d", len(got), n)
		}
		for i := range got {
			if got[i] != byte(i%251) {
				t.Fatalf("byte %d is %d", i, got[i])
			}
		}
	}
	for _, line := range []string{"x\n", "-1\n", "99999999999999999999\r\n", strings.Repeat("1", 1024)} {
		if got := say(t, dial(t, d, "download"), line, false); !strings.HasPrefix(got, "error: want a line") {
			t.Errorf("%.20q: %q", line, got)
		}
	}
}

func TestSum(t *testing.T) {
	text := strings.Repeat("sockmux", 100_000)
	if got, want := say(t, dial(t, start(t), "sum"), text, true), fmt.Sprintf("700000 %x\n", sha256.Sum256([]byte(text))); got != want {
		t.Errorf("%q; want %q", got, want)
	}
}

func TestHalfClose(t *testing.T) {
	d := start(t)
	if got := say(t, dial(t, d, "half-close-report"), "", false); got != "none\n" {
		t.Errorf("before: %q", got)
	}
	conn := dial(t, d, "half-close")
	if got := say(t, conn, "", false); !strings.Contains(got, "still listening") { // reads to the service's end
		t.Errorf("%q", got)
	}
	if _, err := io.WriteString(conn, "after your end"); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		got := say(t, dial(t, d, "half-close-report"), "", false)
		if got == "14\n" {
			return
		}
		if got != "none\n" || time.Now().After(deadline) {
			t.Fatalf("report %q; want 14", got)
		}
	}
}

func TestReset(t *testing.T) {
	got, err := io.ReadAll(dial(t, start(t), "reset"))
	if string(got) != "This connection will be reset.\n" || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSilent(t *testing.T) {
	conn := dial(t, start(t), "silent")
	if _, err := io.WriteString(conn, "anybody there?"); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("read gave %d, %v; want silence", n, err)
	}
}

func TestSlow(t *testing.T) {
	conn := dial(t, start(t), "slow")
	_ = conn.SetWriteBuffer(16 << 10)
	began := time.Now()
	if got := say(t, conn, strings.Repeat("x", 600_000), true); got != "" {
		t.Errorf("%q", got)
	}
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("600 kB took %v; want about 0.6 s", took)
	}
}

func TestWhois(t *testing.T) {
	d := start(t)
	for question, says := range map[string]string{
		"sockmux\r\n":  "one WebSocket",
		"SOCKMUX\n":    "one WebSocket",
		"services\n":   "half-close-report",
		"elsewhere\n":  `No match for "elsewhere"`,
		"\x00\xff\r\n": "No match for",
	} {
		if got := say(t, dial(t, d, "whois"), question, false); !strings.Contains(got, says) || !strings.HasSuffix(got, "\r\n") {
			t.Errorf("%q: %q; want %q in it", question, got, says)
		}
	}
}

func TestHTTP(t *testing.T) {
	d := start(t)
	for _, test := range []struct{ name, send, status, says string }{
		{"1.1", "GET /a?b HTTP/1.1\r\nHost: x\r\nX-One: two\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\n", "You asked: GET /a?b HTTP/1.1\nHost: x\n"},
		{"1.0", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n", "You asked: GET / HTTP/1.0\n"},
		{"headers", "GET / HTTP/1.0\r\nX-One: two\r\n\r\n", "HTTP/1.0 200 OK\r\n", "X-One: two\n"},
		{"body", "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.0 200 OK\r\n", "The body has 5 bytes."},
		{"chunks", "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\n", "The body has 3 bytes."},
		{"rubbish", "what is this\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n", "no HTTP request"},
		{"endless head", "GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 40_000), "HTTP/1.1 400 Bad Request\r\n", "no HTTP request"},
	} {
		conn := dial(t, d, "http")
		_, _ = io.WriteString(conn, test.send)
		data, err := io.ReadAll(conn)
		got := string(data)
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", test.name, err)
		}
		if !strings.HasPrefix(got, test.status) || !strings.Contains(got, test.says) {
			t.Errorf("%s: %q; want %q and %q", test.name, got, test.status, test.says)
		}
	}
}

func TestHTTPKeepsAlive(t *testing.T) {
	d := start(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: patience}
	var ports []string
	for range 2 {
		answer, err := client.Get("http://" + d.Addr("http").String() + "/")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), "you are ")
		port, _, _ := strings.Cut(after, "\n")
		ports = append(ports, port)
	}
	if ports[0] == "" || ports[0] != ports[1] {
		t.Errorf("two connections for two requests: %q", ports)
	}
}
