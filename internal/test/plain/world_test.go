package plain_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/hashicorp/yamux"
	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// start starts a server for plain clients that may reach this machine.
func start(t testing.TB, args ...string) *product.Server {
	t.Helper()
	return product.Start(t, append([]string{"--allow-yamux", "--allow", "127.0.0.1", "--admin", "127.0.0.1:0"}, args...)...)
}

// dialSocket opens a WebSocket to the route.
func dialSocket(t testing.TB, s *product.Server, change func(*websocket.DialOptions)) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	return s.DialSocket(t, "yamux", func(options *websocket.DialOptions) {
		options.Subprotocols = []string{"yamux"}
		if change != nil {
			change(options)
		}
	})
}

// dial returns a yamux client of the server over a WebSocket, both of which end with the
// test.
func dial(t testing.TB, s *product.Server, change func(*websocket.DialOptions)) (*yamux.Session, *websocket.Conn) {
	t.Helper()
	ws, _, err := dialSocket(t, s, change)
	if err != nil {
		t.Fatal(err)
	}
	config := yamux.DefaultConfig()
	config.LogOutput = io.Discard
	session, err := yamux.Client(websocket.NetConn(t.Context(), ws, websocket.MessageBinary), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() }) // it may be closed
	return session, ws
}

// ask opens a stream with a request and returns the result.
func ask(t testing.TB, session *yamux.Session, request wire.Request) (net.Conn, wire.Result) {
	t.Helper()
	stream, err := session.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() }) // it may be closed
	message, err := request.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Write(message); err != nil {
		t.Fatal(err)
	}
	return stream, resultOf(t, stream)
}

// resultOf reads a result.
func resultOf(t testing.TB, r io.Reader) wire.Result {
	t.Helper()
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		t.Fatalf("result: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(r, body); err != nil {
		t.Fatalf("result: %v", err)
	}
	result, err := wire.DecodeResult(body)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// open opens a stream to a target, which must answer.
func open(t testing.TB, session *yamux.Session, target netip.AddrPort) net.Conn {
	t.Helper()
	stream, result := ask(t, session, product.Request(target))
	if result.Code != wire.OK || result.Remote != target {
		t.Fatalf("result %+v, want ok of %s", result, target)
	}
	return stream
}
