package egress

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// maxHead bounds the head of a proxy's answer, as servers and browsers do.
const maxHead = 16 << 10

// connect asks an HTTP proxy (RFC 9110, section 9.3.6).
func connect(c *credentials) func(net.Conn, netip.AddrPort) (netip.AddrPort, error) {
	var authorization string
	if c != nil {
		authorization = "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(c.user+":"+c.password)) + "\r\n"
	}
	return func(conn net.Conn, addr netip.AddrPort) (netip.AddrPort, error) {
		request := fmt.Sprintf("CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", addr, addr, authorization)
		if _, err := io.WriteString(conn, request); err != nil {
			return netip.AddrPort{}, err
		}
		for {
			head, err := readHead(conn)
			if err != nil {
				return netip.AddrPort{}, err
			}
			response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), &http.Request{Method: http.MethodConnect})
			if err != nil {
				return netip.AddrPort{}, err
			}
			_ = response.Body.Close() // there is none in a head
			switch status := response.StatusCode; {
			case status >= 200 && status < 300:
				return netip.AddrPort{}, nil
			case status < 200 && status != http.StatusSwitchingProtocols: // to be passed over (RFC 9110, section 15.2)
			default:
				return netip.AddrPort{}, refusedByStatus(addr, response)
			}
		}
	}
}

// readHead reads to the empty line and not a byte further: what follows belongs to the
// target, and the connection is to stay what it is rather than to be wrapped for the sake
// of a buffer. The heads of proxies have a hundred bytes or so.
func readHead(conn io.Reader) ([]byte, error) {
	var head []byte
	var one [1]byte
	for len(head) < maxHead {
		if _, err := io.ReadFull(conn, one[:]); err != nil {
			if err == io.EOF {
				err = errors.New("it closed the connection without an answer")
			}
			return nil, err
		}
		head = append(head, one[0])
		if one[0] == '\n' && (bytes.HasSuffix(head, []byte("\r\n\r\n")) || bytes.HasSuffix(head, []byte("\n\n"))) {
			return head, nil
		}
	}
	return nil, fmt.Errorf("the head of the answer has more than %d bytes", maxHead)
}

// refusedByStatus gives the code that a status most probably stands for. RFC 9209 would
// tell more, but proxies do not send it.
func refusedByStatus(addr netip.AddrPort, response *http.Response) error {
	var code wire.Code
	switch status := response.StatusCode; {
	case status == http.StatusProxyAuthRequired:
		return told(wire.Internal, "the server's upstream proxy does not take the server's credentials", fmt.Errorf("the proxy answers %q", response.Status))
	case status == http.StatusTooManyRequests:
		code = wire.Limit
	case status == http.StatusRequestTimeout || status == http.StatusGatewayTimeout:
		code = wire.TimedOut
	case status == http.StatusBadRequest || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented || status < 400:
		return told(wire.Internal, "the server's upstream proxy makes no connections", fmt.Errorf("the proxy answers %q", response.Status))
	case status < 500:
		code = wire.Denied
	default:
		code = wire.HostUnreachable // 502 and 503 are for all that may befall a connection, a refusal included
	}
	return refused(code, addr, fmt.Errorf("the proxy answers %q", response.Status))
}

// refused is the error for what a proxy says of the target.
func refused(code wire.Code, addr netip.AddrPort, cause error) error {
	meaning := code.Meaning()
	switch code {
	case wire.Denied:
		meaning = "the upstream proxy forbids the target"
	case wire.Limit:
		meaning = "a limit of the upstream proxy is reached"
	}
	return told(code, fmt.Sprintf("%s: %s", addr, meaning), cause)
}
