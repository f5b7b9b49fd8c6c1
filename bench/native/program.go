package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"

	"github.com/sockmux/sockmux/server/frames"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
)

// program makes calls as one with Emscripten's full POSIX sockets does. Each goroutine is a
// thread of it.
type program struct {
	ws    *frames.Conn  // each Write of a message is one write of the system, as in Chromium
	ended chan struct{} // closed when no result comes any more
	err   error         // why; set before

	mu      sync.Mutex
	last    int32
	waiting map[int32]chan []byte
}

// runProgram connects a program to a server.
func runProgram(ctx context.Context, server string) (*program, error) {
	address, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return nil, err
	}
	ws, err := frames.Open(ctx, conn, frames.Handshake{URL: server})
	if err != nil {
		_ = conn.Close() // it has no other use
		return nil, err
	}
	p := &program{ws: ws, ended: make(chan struct{}), waiting: make(map[int32]chan []byte)}
	go p.receive()
	return p, nil
}

func (p *program) receive() {
	defer close(p.ended)
	buffer := make([]byte, 64<<10)
	for {
		var message []byte
		if message, p.err = p.next(buffer); p.err != nil {
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

// next returns the next message.
func (p *program) next(buffer []byte) (message []byte, err error) {
	for {
		n, piece, err := p.ws.Read(buffer)
		if err != nil {
			return nil, err
		}
		message = append(message, buffer[:n]...)
		if piece.Last {
			return message, nil
		}
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
	if err := p.ws.Write(append(message, data...), frames.Piece{First: true, Last: true}); err != nil {
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
