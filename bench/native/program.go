package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"

	coder "github.com/coder/websocket"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// program makes calls as one with Emscripten's full POSIX sockets does. Each goroutine is a
// thread of it.
type program struct {
	ws    *coder.Conn
	ended chan struct{} // closed when no result comes any more
	err   error         // why; set before

	mu      sync.Mutex
	last    int32
	waiting map[int32]chan []byte
}

// runProgram connects a program to a server.
func runProgram(ctx context.Context, url string) (*program, error) {
	ws, _, err := coder.Dial(ctx, url, &coder.DialOptions{CompressionMode: coder.CompressionDisabled, HTTPClient: &http.Client{Transport: exactKey{}}})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	p := &program{ws: ws, ended: make(chan struct{}), waiting: make(map[int32]chan []byte)}
	go p.receive()
	return p, nil
}

// exactKey spells a header as browsers do: the original compares its letters.
type exactKey struct{}

// RoundTrip implements http.RoundTripper.
func (exactKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header["Sec-WebSocket-Key"] = r.Header["Sec-Websocket-Key"]
	delete(r.Header, "Sec-Websocket-Key")
	return http.DefaultTransport.RoundTrip(r)
}

func (p *program) receive() {
	defer close(p.ended)
	for {
		var message []byte
		if _, message, p.err = p.ws.Read(context.Background()); p.err != nil {
			return
		}
		if len(message) < 12 {
			p.err = fmt.Errorf("a result of %d bytes", len(message))
			return
		}
		id := int32(binary.LittleEndian.Uint32(message))
		p.mu.Lock()
		if waits := p.waiting[id]; waits != nil {
			waits <- message
			delete(p.waiting, id)
		}
		p.mu.Unlock()
	}
}

func (p *program) close() {
	_ = p.ws.CloseNow() // it has ended either way
	<-p.ended
}

// call makes a call and returns its value, and what comes with it.
func (p *program) call(function calls.Function, fields []int32, data []byte) (ret int32, extra []byte, err error) {
	waits := make(chan []byte, 1)
	p.mu.Lock()
	p.last++
	id := p.last
	p.waiting[id] = waits
	p.mu.Unlock()
	message := make([]byte, 0, calls.HeaderSize+4*len(fields)+len(data))
	for _, field := range append([]int32{id, int32(function)}, fields...) {
		message = binary.LittleEndian.AppendUint32(message, uint32(field))
	}
	if err := p.ws.Write(context.Background(), coder.MessageBinary, append(message, data...)); err != nil {
		return 0, nil, err
	}
	select {
	case result := <-waits:
		ret = int32(binary.LittleEndian.Uint32(result[4:]))
		if ret < 0 {
			return ret, nil, fmt.Errorf("call %d: errno %d", function, binary.LittleEndian.Uint32(result[8:]))
		}
		return ret, result[12:], nil
	case <-p.ended:
		return 0, nil, fmt.Errorf("call %d: the server has closed the connection: %w", function, p.err)
	}
}

// connect opens a socket to a local port.
func (p *program) connect(port int) (*programSocket, error) {
	fd, _, err := p.call(calls.Socket, []int32{calls.AFInet, 1, 0}, nil)
	if err != nil {
		return nil, err
	}
	address := calls.AppendAddress(nil, calls.AFInet, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)))
	if _, _, err := p.call(calls.Connect, []int32{fd, int32(len(address))}, address); err != nil {
		return nil, err
	}
	return &programSocket{p, fd}, nil
}

// programSocket is a connected socket. Each Read and Write is one call.
type programSocket struct {
	program *program
	fd      int32
}

var _ io.ReadWriteCloser = (*programSocket)(nil)

// Read implements io.Reader.
func (s *programSocket) Read(b []byte) (int, error) {
	ret, data, err := s.program.call(calls.Recv, []int32{s.fd, int32(len(b)), 0}, nil)
	if err == nil && ret == 0 {
		err = io.EOF
	}
	return copy(b, data[:min(int(ret), len(data))]), err
}

// Write implements io.Writer.
func (s *programSocket) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var ret int32
		ret, _, err = s.program.call(calls.Send, []int32{s.fd, int32(len(b) - n), 0}, b[n:])
		n += int(max(ret, 0))
	}
	return n, err
}

// Close implements io.Closer: shutdown of both directions is the protocol's close.
func (s *programSocket) Close() error {
	_, _, err := s.program.call(calls.Shutdown, []int32{s.fd, 2}, nil)
	return err
}

// reset closes the socket with a reset: the service ends at once.
func (s *programSocket) reset() error {
	const levelSocket, linger = 1, 13
	on, seconds := []byte{1, 0, 0, 0}, make([]byte, 4)
	if _, _, err := s.program.call(calls.Setsockopt, []int32{s.fd, levelSocket, linger, 8}, append(on, seconds...)); err != nil {
		return err
	}
	return s.Close()
}
