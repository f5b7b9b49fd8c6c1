package listener

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// folded serves on loopback behind an unfolding listener, and answers with a header's value.
func folded(t *testing.T, trusted string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-User")) // the client tells the test what went wrong
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(Wrap(l, Config{Unfold: Proxies{netip.MustParsePrefix(trusted)}})) // it is closed
	}()
	t.Cleanup(func() {
		_ = server.Close() // its errors are those of connections that are cut anyway
		<-done
	})
	return l.Addr().String()
}

func TestFolded(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: x\r\n"
	for name, test := range map[string]struct{ sent, want string }{
		"plain":                      {get + "X-User: alice\r\n\r\n", "200 alice"},
		"a space":                    {get + "X-User: alice  b\r\n\r\n", "200 alice  b"},
		"folded":                     {get + "X-User: alice\r\n root\r\n\r\n", "400"},
		"folded by a tab":            {get + "X-User: alice\r\n\troot\r\n\r\n", "400"},
		"folded without CR":          {get + "X-User: alice\n root\n\n", "400"},
		"another field is folded":    {get + "X-Other: a\r\n b\r\nX-User: alice\r\n\r\n", "400"},
		"a long line":                {get + "X-Long: " + strings.Repeat("y", 3000) + "\r\nX-User: alice\r\n root\r\n\r\n", "400"},
		"two requests":               {get + "X-User: alice\r\n\r\n" + get + "X-User: bob\r\n\r\n", "200 alice 200 bob"},
		"the second is folded":       {get + "X-User: alice\r\n\r\n" + get + "X-User: bob\r\n root\r\n\r\n", "200 alice 400"},
		"a body that looks so":       {get + "Content-Length: 9\r\nX-User: alice\r\n\r\na\r\n b\r\n c" + get + "X-User: bob\r\n\r\n", "200 alice 200 bob"},
		"folded behind a body":       {get + "Content-Length: 3\r\nX-User: alice\r\n\r\na\r\n" + get + "X-User: bob\r\n root\r\n\r\n", "200 alice 400"},
		"a body of unknown length":   {get + "X-User: alice\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"},
		"a length that is no number": {get + "Content-Length: 3x\r\n\r\nabc", "400"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, chunk := range []int{1, 7, 1 << 20} {
				conn, err := net.Dial("tcp", folded(t, "127.0.0.1/32"))
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				for rest := test.sent; rest != ""; rest = rest[min(chunk, len(rest)):] {
					if _, err := io.WriteString(conn, rest[:min(chunk, len(rest))]); err != nil {
						break // it was refused already
					}
				}
				if got := answers(t, conn, strings.Count(test.want, "200")+strings.Count(test.want, "400")); got != test.want {
					t.Errorf("in pieces of %d: %q, want %q", chunk, got, test.want)
				}
			}
		})
	}
}

// answers reads so many responses.
func answers(t *testing.T, conn net.Conn, n int) string {
	t.Helper()
	reader := bufio.NewReader(conn)
	var all []string
	for range n {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		all = append(all, response.Status[:3])
		if response.StatusCode != http.StatusOK {
			continue // the connection is reset behind it: what was sent is not read to its end
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(body))
	}
	return strings.Join(all, " ")
}

// Only what comes from a trusted proxy is looked through; net/http reads the rest as before.
func TestFoldedByOthers(t *testing.T) {
	conn, err := net.Dial("tcp", folded(t, "192.0.2.1/32"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-User: alice\r\n root\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if got := answers(t, conn, 1); got != "200 alice root" {
		t.Errorf("%q", got)
	}
}
