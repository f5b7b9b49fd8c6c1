package listener

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// serveAddress runs a server whose only answer is the client's address.
func serveAddress(t *testing.T, config Config) string {
	t.Helper()
	return serveOn(t, loopback(t, config))
}

// serveOn is serveAddress on a listener that exists; it closes it.
func serveOn(t *testing.T, l net.Listener) string {
	t.Helper()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.RemoteAddr) }),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if _, ok := TCP(c); !ok {
				t.Errorf("%T has no TCP socket below", c)
			}
			return ctx
		},
	}
	var tasks sync.WaitGroup
	tasks.Go(func() { _ = server.Serve(l) }) // ends with Close
	t.Cleanup(func() {
		_ = server.Close()
		tasks.Wait()
	})
	return l.Addr().String()
}

const request = "GET / HTTP/1.1\r\nHost: one.test\r\nConnection: close\r\n\r\n"

// ask sends bytes and returns everything that comes back.
func ask(t *testing.T, address, bytes string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, bytes); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil && len(answer) == 0 {
		return "" // reset: the server had unread bytes when it closed
	}
	return string(answer)
}

// version2 is a header of haproxy.org's proxy-protocol.txt, 2.2: TCP over IPv4 from
// source to 192.0.2.9:443.
func version2(command byte, source net.IP, port uint16) string {
	b := []byte("\r\n\r\n\x00\r\nQUIT\n")
	b = append(b, 0x20|command, 0x11, 0, 12)
	b = append(b, source.To4()...)
	b = append(b, 192, 0, 2, 9)
	b = binary.BigEndian.AppendUint16(b, port)
	return string(binary.BigEndian.AppendUint16(b, 443))
}

func TestProxyProtocol(t *testing.T) {
	trusted := serveAddress(t, Config{ProxyProtocol: proxies(t, "127.0.0.1")})
	untrusted := serveAddress(t, Config{ProxyProtocol: proxies(t, "192.0.2.0/24")})
	off := serveAddress(t, Config{})
	tests := []struct {
		name, address, header string
		want                  string // of the answer's end; "400" for a refusal; empty: closed without an answer
	}{
		{"version 1", trusted, "PROXY TCP4 198.51.100.7 192.0.2.9 4711 443\r\n", "198.51.100.7:4711"},
		{"version 1, IPv6", trusted, "PROXY TCP6 2001:db8::7 2001:db8::9 4711 443\r\n", "[2001:db8::7]:4711"},
		{"version 1, unknown", trusted, "PROXY UNKNOWN\r\n", "127.0.0.1:"},
		{"version 2", trusted, version2(1, net.IPv4(198, 51, 100, 7), 4711), "198.51.100.7:4711"},
		{"version 2, the proxy's own check", trusted, version2(0, net.IPv4(198, 51, 100, 7), 4711), "127.0.0.1:"},
		{"no header", trusted, "", ""},
		{"a broken header", trusted, "PROXY TCP4 198.51.100.7\r\n", ""},
		{"a stranger without header", untrusted, "", "127.0.0.1:"},
		{"a stranger's header", untrusted, "PROXY TCP4 198.51.100.7 192.0.2.9 4711 443\r\n", "400"},
		{"not spoken", off, "PROXY TCP4 198.51.100.7 192.0.2.9 4711 443\r\n", "400"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := ask(t, test.address, test.header+request)
			status, body, _ := strings.Cut(answer, "\r\n\r\n")
			switch test.want {
			case "":
				if strings.Contains(status, " 200 ") {
					t.Errorf("answered: %q", answer)
				}
			case "400":
				if !strings.HasPrefix(status, "HTTP/1.1 400 ") {
					t.Errorf("answer %q", answer)
				}
			default:
				if !strings.HasPrefix(body, test.want) {
					t.Errorf("answer %q, want %s", answer, test.want)
				}
			}
		})
	}
}

// The PROXY header comes before TLS, and the address below TLS is still that of the header.
func TestProxyProtocolBelowTLS(t *testing.T) {
	dir := t.TempDir()
	ca, _, _ := issue(t, nil, "the authority", nil)
	_, cert, key := issue(t, ca, "one.test", nil)
	certificates, err := LoadCertificates(Files{Cert: write(t, dir, "c", cert), Key: write(t, dir, "k", key)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	address := serveAddress(t, Config{TLS: certificates.Config(), ProxyProtocol: proxies(t, "127.0.0.1")})
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, version2(1, net.IPv4(198, 51, 100, 7), 4711)); err != nil {
		t.Fatal(err)
	}
	secure := tls.Client(c, &tls.Config{RootCAs: ca.Pool(), ServerName: "one.test"})
	if _, err := io.WriteString(secure, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(secure)
	if err != nil || !strings.HasSuffix(string(answer), "198.51.100.7:4711") {
		t.Errorf("answer %q, error %v", answer, err)
	}
}

func TestListenError(t *testing.T) {
	taken := loopback(t, Config{})
	if _, err := Listen(t.Context(), Config{Address: taken.Addr().String()}); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("error %v", err)
	}
}
