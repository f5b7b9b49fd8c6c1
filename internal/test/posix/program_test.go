package posix_test

import (
	"context"
	"encoding/binary"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is after how long something is not going to happen.
const patience = 60 * time.Second

// start starts a server for programs that may reach this machine.
func start(t testing.TB, args ...string) *product.Server {
	t.Helper()
	return product.Start(t, append([]string{"--allow-posix", "--allow", "127.0.0.1", "--admin", "127.0.0.1:0"}, args...)...)
}

// program is a program's end of its WebSocket.
type program struct {
	t     testing.TB
	ws    *websocket.Conn
	ended chan struct{} // closed when nothing comes any more
	err   error         // why; set before

	mu      sync.Mutex
	last    int32
	waiting map[int32]chan result
	surplus []int32 // results that nothing waited for
}

// result is what a call has returned.
type result struct {
	ret, errno int32
	extra      []byte
}

// dialSocket opens a WebSocket to the route.
func dialSocket(t testing.TB, s *product.Server, query string, change func(*websocket.DialOptions)) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	ws, response, err := s.DialSocket(t, "posix"+query, change)
	if err == nil {
		ws.SetReadLimit(-1)
	}
	return ws, response, err
}

// run starts a program.
func run(t testing.TB, s *product.Server) *program {
	t.Helper()
	return runWith(t, s, "")
}

// runWith is run with a query in the URL.
func runWith(t testing.TB, s *product.Server, query string) *program {
	t.Helper()
	ws, _, err := dialSocket(t, s, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, ws: ws, ended: make(chan struct{}), waiting: make(map[int32]chan result)}
	go func() { // ends with the WebSocket
		defer close(p.ended)
		for {
			kind, message, err := ws.Read(context.Background())
			if err != nil {
				p.err = err
				return
			}
			if kind != websocket.MessageBinary || len(message) < 12 {
				t.Errorf("a message of kind %d: %x", kind, message)
				return
			}
			word := func(at int) int32 { return int32(binary.LittleEndian.Uint32(message[at:])) }
			p.mu.Lock()
			id := word(0)
			if waits := p.waiting[id]; waits != nil {
				waits <- result{word(4), word(8), message[12:]}
				delete(p.waiting, id)
			} else {
				p.surplus = append(p.surplus, id)
			}
			p.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		_ = ws.CloseNow() // it may be closed
		<-p.ended
	})
	return p
}

// words are the fields of a message.
func words(n ...int32) (b []byte) {
	for _, w := range n {
		b = binary.LittleEndian.AppendUint32(b, uint32(w))
	}
	return b
}

// write sends a message as it is.
func (p *program) write(message []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := p.ws.Write(ctx, websocket.MessageBinary, message); err != nil {
		p.t.Fatalf("writing a message: %v", err)
	}
}

// start sends a call. Its result comes to the channel.
func (p *program) start(function calls.Function, body ...[]byte) <-chan result {
	p.t.Helper()
	p.mu.Lock()
	p.last++
	id, waits := p.last, make(chan result, 1)
	p.waiting[id] = waits
	p.mu.Unlock()
	message := words(id, int32(function))
	for _, part := range body {
		message = append(message, part...)
	}
	p.write(message)
	return waits
}

// expect takes the number of the next call, which the test sends in its own way.
func (p *program) expect() <-chan result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	waits := make(chan result, 1)
	p.waiting[p.last] = waits
	return waits
}

// wait returns the result of a call.
func (p *program) wait(waits <-chan result) result {
	p.t.Helper()
	select {
	case r := <-waits:
		return r
	case <-p.ended:
		select {
		case r := <-waits:
			return r
		default:
		}
		p.t.Fatalf("the connection has ended: %v", p.err)
	case <-time.After(patience):
		p.t.Fatal("no result")
	}
	panic("unreachable")
}

func (p *program) call(function calls.Function, body ...[]byte) result {
	p.t.Helper()
	return p.wait(p.start(function, body...))
}

// must is call that has to succeed.
func (p *program) must(function calls.Function, body ...[]byte) result {
	p.t.Helper()
	r := p.call(function, body...)
	if r.ret < 0 {
		p.t.Fatalf("function %d: %d, errno %d", function, r.ret, r.errno)
	}
	return r
}

// socket makes a socket.
func (p *program) socket(domain, kind int32) int32 {
	p.t.Helper()
	return p.must(calls.Socket, words(domain, kind, 0)).ret
}

// address is a sockaddr with its length in front.
func address(target netip.AddrPort) []byte {
	family := int32(calls.AFInet6)
	if target.Addr().Is4() {
		family = calls.AFInet
	}
	b := calls.AppendAddress(nil, family, target)
	return append(words(int32(len(b))), b...)
}

// connected returns a socket that is connected.
func (p *program) connected(target netip.AddrPort) int32 {
	p.t.Helper()
	fd := p.socket(calls.AFInet, 1)
	p.must(calls.Connect, words(fd), address(target))
	return fd
}

func (p *program) send(fd int32, flags int32, data []byte) result {
	p.t.Helper()
	return p.call(calls.Send, words(fd, int32(len(data)), flags), data)
}

func (p *program) recv(fd, n, flags int32) result {
	p.t.Helper()
	return p.call(calls.Recv, words(fd, n, flags))
}

// is fails the test if the call has returned something else.
func (p *program) is(what string, r result, ret, errno int32, data string) {
	p.t.Helper()
	if r.ret != ret || ret < 0 && r.errno != errno || ret >= 0 && string(r.extra) != data {
		p.t.Errorf("%s: %d, errno %d, %q; want %d, %d, %q", what, r.ret, r.errno, r.extra, ret, errno, data)
	}
}
