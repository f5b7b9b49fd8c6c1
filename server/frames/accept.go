package frames

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sockmux/sockmux/internal/notsentlowat"
)

// acceptTimeout is for the answer to the handshake, which is shorter than any send buffer.
const acceptTimeout = 2 * time.Second

// Accept answers the handshake of a client (RFC 6455, section 4.2), and selects the subprotocol if
// the client offers it. If it fails, it has answered the request and returns why. The caller has
// checked the Origin header. socket finds the TCP socket below the request's connection, such as
// listener.TCP. Nothing may be received before Admit.
func Accept(w http.ResponseWriter, r *http.Request, subprotocol string, socket func(net.Conn) (*net.TCPConn, bool)) (*Messages, error) {
	status, err := checkUpgrade(r)
	if err != nil {
		if status == http.StatusUpgradeRequired {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
		}
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, err.Error(), status)
		return nil, err
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, http.StatusText(http.StatusNotImplemented), http.StatusNotImplemented)
		return nil, fmt.Errorf("taking the connection of the request: %w", err)
	}
	m := newMessages(conn, ahead(buffered.Reader))
	if tcp, ok := socket(conn); ok {
		m.abort = tcp.Close // that of TLS would wait for a Write
		if r.TLS == nil {
			m.out.vector = tcp
		}
		if raw, err := tcp.SyscallConn(); err == nil { // else it has ended
			m.unsent = notsentlowat.Follow(raw)
		}
	}
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		acceptOf(r.Header.Get("Sec-WebSocket-Key")) + "\r\n"
	if hasToken(r.Header.Values("Sec-WebSocket-Protocol"), subprotocol) {
		answer += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	_ = conn.SetDeadline(time.Now().Add(acceptTimeout)) // fails if the connection has ended
	if _, err := conn.Write([]byte(answer + "\r\n")); err != nil {
		_ = conn.Close() // it is lost
		return nil, fmt.Errorf("answering the handshake: %w", err)
	}
	_ = conn.SetDeadline(time.Time{}) // as above
	return m, nil
}

// ahead returns what has come behind the request.
func ahead(r *bufio.Reader) []byte {
	b, _ := r.Peek(r.Buffered()) // has all of it
	return slices.Clone(b)
}

// checkUpgrade returns what is wrong with the request of a handshake, and the status that says so.
func checkUpgrade(r *http.Request) (status int, err error) {
	keys := r.Header.Values("Sec-WebSocket-Key")
	switch {
	case !r.ProtoAtLeast(1, 1):
		return http.StatusUpgradeRequired, errors.New("the handshake of a WebSocket needs HTTP/1.1")
	case !hasToken(r.Header.Values("Connection"), "upgrade"), !hasToken(r.Header.Values("Upgrade"), "websocket"):
		return http.StatusUpgradeRequired, errors.New("the request does not upgrade to a WebSocket")
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed, errors.New("the handshake of a WebSocket is a GET")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return http.StatusBadRequest, errors.New("the version of the WebSocket is not 13")
	case len(keys) != 1:
		return http.StatusBadRequest, errors.New("the request needs one Sec-WebSocket-Key")
	}
	if key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0])); err != nil || len(key) != 16 {
		return http.StatusBadRequest, errors.New("the Sec-WebSocket-Key is not that of 16 bytes")
	}
	return 0, nil
}

// acceptOf returns the answer to a key (RFC 6455, section 1.3).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
