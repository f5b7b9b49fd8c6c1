package strangers_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// Idle HTTP connections take no descriptors of sessions and newcomers.
func TestIdleConnectionsLeaveDescriptors(t *testing.T) {
	server := product.Options{Files: 300}.Start(t, "--allow", "127.0.0.1")
	echo := product.Echo(t)
	stay := newSource(t, honest)
	live := server.Dial(t, stay.client(server))
	product.Open(t, live, echo)
	idle := newSource(t, hostile)
	for range 400 {
		conn, err := idle.dial(t.Context(), server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"); err != nil {
			continue // it has made room for another
		}
		if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			_ = response.Body.Close()
		}
		if server.Descriptors() > 290 {
			break // no more are taken
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i := range 20 {
		s, err := product.Opened(ctx, live, echo)
		if err != nil {
			t.Fatalf("stream %d of a live session: %v, %d descriptors are open", i, err, server.Descriptors())
		}
		if err := echoes(s, 1<<10); err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	if err := visit(t, server, stay, echo); err != nil {
		t.Errorf("a newcomer: %v", err)
	}
	t.Logf("%d descriptors are open", server.Descriptors())
}

// The streams of one session leave descriptors for other sessions and for newcomers.
func TestStreamsLeaveDescriptors(t *testing.T) {
	server := product.Options{Files: 300}.Start(t, "--allow", "127.0.0.1")
	echo := product.Echo(t)
	hog := server.Dial(t, newSource(t, hostile).client(server))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	opened, refused := 0, 0
	for range 320 {
		stream, err := hog.Open(product.Request(echo))
		if err != nil {
			t.Fatal(err)
		}
		result, err := stream.Result(ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch result.Code {
		case wire.OK:
			opened++
		case wire.Limit:
			refused++
		default:
			t.Fatalf("after %d streams: %s %s", opened, result.Code, result.Text)
		}
	}
	if opened < 50 || opened > 200 {
		t.Errorf("one session has %d streams at 300 descriptors, and %d were refused", opened, refused)
	}
	for range 3 {
		if err := visit(t, server, newSource(t, honest), echo); err != nil {
			t.Errorf("a newcomer beside %d streams: %v", opened, err)
		}
	}
}

// A class behind one address loads its pages at once: no answer is cut for another while there
// are free places.
func TestOneAddressLoadsManyPages(t *testing.T) {
	const connections = 100
	server := product.Options{Files: 1024}.Start(t)
	class := newSource(t, honest)
	var conns []net.Conn
	for range connections {
		conn, err := class.dial(t.Context(), server.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "GET /sockmux.wasm HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	cut := 0
	for _, conn := range conns { // no answer is read before all have been asked for
		if !whole(conn) {
			cut++
		}
	}
	if cut > 0 {
		t.Errorf("%d of %d answers were cut", cut, connections)
	}
}

// whole reads an answer and reports whether it came whole.
func whole(conn net.Conn) bool {
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err == nil && response.StatusCode == http.StatusOK
}
