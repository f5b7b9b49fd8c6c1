package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if os.Getuid() != 0 {
		if err := asRoot(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// dial makes a line with a path and a TCP connection over it.
func dial(t testing.TB, path Path) (line *Line, near, far net.Conn) {
	t.Helper()
	line, err := NewLine()
	if err != nil {
		t.Fatalf("a line needs root, or user namespaces and /dev/net/tun: %v", err)
	}
	t.Cleanup(func() {
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := line.Set(path); err != nil {
		t.Fatal(err)
	}
	var listener net.Listener
	err = line.Far.Do(func() (err error) {
		listener, err = net.Listen("tcp", net.JoinHostPort(farAddress.Addr().String(), "0"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = line.Near.Do(func() (err error) {
		near, err = net.Dial("tcp", listener.Addr().String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	if far, err = listener.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return line, near, far
}

// carry sends data from the far to the near end and returns how long it takes.
func carry(t *testing.T, near, far net.Conn, data []byte) time.Duration {
	t.Helper()
	start := time.Now()
	go func() {
		far.Write(data) // the reader sees what is missing
		far.Close()
	}()
	got, err := io.ReadAll(near)
	if err != nil || !bytes.Equal(got, data) {
		t.Fatalf("%d bytes of %d, or others: %v", len(got), len(data), err)
	}
	return time.Since(start)
}

func data(n int) []byte {
	data := make([]byte, n)
	rand.Read(data)
	return data
}

func TestLineHasItsRoundTrip(t *testing.T) {
	const rtt = 40 * time.Millisecond
	start := time.Now()
	_, near, far := dial(t, Path{RTT: rtt})
	if took := time.Since(start); took < rtt {
		t.Errorf("the handshake took %v, the round trip is %v", took, rtt)
	}
	if took := carry(t, near, far, data(10)); took < rtt/2 {
		t.Errorf("10 bytes took %v, half of the round trip is %v", took, rtt/2)
	}
}

// TestLineHasItsRate: packet by packet, and where the kernel hands over packets that are
// yet to be cut.
func TestLineHasItsRate(t *testing.T) {
	for _, rate := range []float64{5e6, 100e6} {
		line, near, far := dial(t, Path{RTT: 2 * time.Millisecond, Rate: rate, Queue: 1 << 20})
		sent := int(rate / 4)
		if took, least := carry(t, near, far, data(sent)), 250*time.Millisecond; took < least {
			t.Errorf("%d bytes at %.0f bytes/s took %v, less than %v", sent, rate, took, least)
		}
		stats, err := line.Set(Path{})
		if err != nil {
			t.Fatal(err)
		}
		// Each packet of 1500 bytes has 52 of headers.
		if least := int64(sent) * 1500 / 1448; stats[0].Bytes < least {
			t.Errorf("%d bytes on the line for %d of data, want %d", stats[0].Bytes, sent, least)
		}
		if perPacket := stats[0].Bytes / stats[0].Packets; (perPacket > 1500) != (rate > offloadRate) {
			t.Errorf("at %.0f bytes/s a packet has %d bytes", rate, perPacket)
		}
	}
}

// TestLineDropsAndTCPRecovers: a queue of four packets loses some, and every byte arrives.
func TestLineDropsAndTCPRecovers(t *testing.T) {
	line, near, far := dial(t, Path{RTT: 4 * time.Millisecond, Rate: 5e6, Queue: 6000})
	carry(t, near, far, data(300_000))
	stats, err := line.Set(Path{})
	if err != nil {
		t.Fatal(err)
	}
	if stats[0].Dropped == 0 {
		t.Error("no packet was dropped")
	}
}

// TestCommandRunsAtTheFarEnd: it has the far end's address and the near end's network.
func TestCommandRunsAtTheFarEnd(t *testing.T) {
	line, err := NewLine()
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	out := t.TempDir() + "/out"
	script := `cat /proc/net/fib_trie >"$0" && test -e "$BENCH_NEAR" && echo "$BENCH_TUN $BENCH_FAR" >>"$0"`
	if err := atFarEnd(line, []string{"sh", "-c", script, out}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-- 10.9.0.2\n", "http://127.0.0.1:", "/path 10.9.0.2\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the command wrote %q, which lacks %q", text, want)
		}
	}
}

func TestControl(t *testing.T) {
	line, near, far := dial(t, Path{})
	for _, test := range []struct {
		body string
		code int
		want string
	}{
		{`{"rtt": 2, "rate": 1e6, "queue": 96000, "jitter": 1}`, 200, `{"down":{"Packets":`},
		{`{}`, 200, `,"Bytes":0,"Dropped":0}}`},
		{`{"rtt": "2"}`, 400, "json"},
		{`{"delay": 2}`, 400, `unknown field "delay"`},
	} {
		answer := httptest.NewRecorder()
		control(line).ServeHTTP(answer, httptest.NewRequest("PUT", "/path", strings.NewReader(test.body)))
		if got := answer.Body.String(); answer.Code != test.code || !strings.Contains(got, test.want) {
			t.Errorf("%s: %d %q, want %d %q", test.body, answer.Code, got, test.code, test.want)
		}
	}
	carry(t, near, far, data(10))
}

// BenchmarkLine says what the line itself carries on this machine.
func BenchmarkLine(b *testing.B) {
	for name, path := range map[string]Path{
		"unlimited":               {},
		"1 Gbit/s":                {RTT: time.Millisecond, Rate: 125e6, Queue: 512 << 10},
		"400 Mbit/s, each packet": {RTT: time.Millisecond, Rate: 50e6, Queue: 512 << 10},
		"100 Mbit/s":              {RTT: 20 * time.Millisecond, Rate: 12.5e6, Queue: 250_000},
	} {
		b.Run(name, func(b *testing.B) {
			_, near, far := dial(b, path)
			block := data(1 << 20)
			b.SetBytes(int64(len(block)))
			go func() {
				for {
					if _, err := far.Write(block); err != nil {
						return
					}
				}
			}()
			b.ResetTimer()
			for range b.N {
				if _, err := io.ReadFull(near, block); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
