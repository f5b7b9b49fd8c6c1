// Package line simulates a network path in user space: a fixed delay and, where asked
// for, a bottleneck that all connections share. It is what the benchmarks put between a
// client and a server. A connection costs the round trip of its handshake, though the
// client, whose handshake is with this process, does not see it: its first bytes are held
// back so long.
//
// The bottleneck is a FIFO queue of bounded size served at a constant rate, one for each
// direction. A connection that finds the queue full is not read from until there is room,
// so the sender's TCP feels the queue as it would feel a router's, except that nothing is
// lost.
package line

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// chunk is the unit in which bytes enter the queue: about eleven packets. Smaller is
// closer to a real line and costs more timers.
const chunk = 16 << 10

// unlimitedFlight stands for a Flight of 0.
const unlimitedFlight = 64 << 20

// LinuxFlight is what Linux lets one connection have on its way at most, where no setting has
// changed that: the largest send buffer (net.ipv4.tcp_wmem, see tcp(7)).
const LinuxFlight = 4 << 20

// Config describes a path. The zero value adds nothing.
type Config struct {
	RTT   time.Duration // round trip added; half of it in each direction
	Rate  int           // bytes per second in each direction; 0 is unlimited
	Queue int           // bytes that the bottleneck's queue holds; 0 takes 33 ms of Rate
	// Flight is how many bytes of one connection may be on their way in each direction,
	// from their sending until their sender knows of the arrival a round trip later, as a
	// system's TCP allows; 0: 64 MiB, so that a stalled reader cannot fill the memory.
	Flight int
}

// Line is a path with its bottlenecks. It may carry many connections at once.
type Line struct {
	rtt      time.Duration
	up, down *bottleneck
	wait     sync.WaitGroup
	mu       sync.Mutex
	conns    map[net.Conn]struct{}
}

// New makes a path.
func New(config Config) *Line {
	if config.Rate > 0 && config.Queue == 0 {
		config.Queue = config.Rate * 33 / 1000
	}
	return &Line{
		rtt:   config.RTT,
		up:    newBottleneck(config),
		down:  newBottleneck(config),
		conns: make(map[net.Conn]struct{}),
	}
}

// Serve accepts connections on listener and carries each over the path to target until
// ctx ends; it then closes all of them and returns when the last goroutine has ended.
func (l *Line) Serve(ctx context.Context, listener net.Listener, target string) error {
	stop := context.AfterFunc(ctx, func() {
		listener.Close()
		l.CutAll()
	})
	defer stop()
	defer l.wait.Wait()
	for {
		client, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		l.track(client)
		l.wait.Go(func() {
			defer l.untrack(client)
			if sleep(l.rtt/2) != nil { // the SYN is on its way
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				return
			}
			l.track(server)
			defer l.untrack(server)
			if ctx.Err() != nil {
				return
			}
			l.carry(client, server)
		})
		if ctx.Err() != nil {
			l.CutAll()
		}
	}
}

// CutAll ends every connection that is carried now, with a TCP reset at both ends.
func (l *Line) CutAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		conn.Close()
	}
}

func (l *Line) track(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		l.conns[conn] = struct{}{}
	}
}

func (l *Line) untrack(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		delete(l.conns, conn)
		conn.Close()
	}
}

// carry moves both directions and returns when both have ended. An end of one direction
// is passed on as a half-close.
func (l *Line) carry(client, server net.Conn) {
	var both sync.WaitGroup
	both.Add(2)
	move := func(dst, src net.Conn, through *bottleneck) {
		defer both.Done()
		if err := through.move(dst, src); err != nil {
			dst.Close()
			src.Close()
			return
		}
		if half, ok := dst.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
	}
	go func() {
		if sleep(l.rtt/2) != nil { // the SYN-ACK is on its way back
			client.Close()
			server.Close()
		}
		move(server, client, l.up)
	}()
	go move(client, server, l.down)
	both.Wait()
}

// sleep is time.Sleep with an alarm of its own.
func sleep(d time.Duration) error {
	end := time.Now().Add(d)
	a, err := newAlarm()
	if err != nil {
		return err
	}
	defer a.close()
	return a.wait(end)
}

// bottleneck is one direction of a path, shared by all connections.
type bottleneck struct {
	delay  time.Duration
	flight int           // bytes of one connection between its ends
	rate   float64       // bytes per second; 0 is unlimited
	queue  time.Duration // how long a byte may wait

	mu   sync.Mutex
	free time.Time // when the line has sent all that was admitted
}

func newBottleneck(config Config) *bottleneck {
	if config.Flight == 0 {
		config.Flight = unlimitedFlight
	}
	// The other half of the round trip is that of the acknowledgements.
	b := &bottleneck{delay: config.RTT / 2, rate: float64(config.Rate), flight: config.Flight / 2}
	if config.Rate > 0 {
		b.queue = time.Duration(float64(config.Queue) / b.rate * float64(time.Second))
	}
	return b
}

// admit waits until the queue has room for n bytes and returns the time at which the last
// of them arrives.
func (b *bottleneck) admit(n int, a *alarm) (time.Time, error) {
	if b.rate == 0 {
		return time.Now().Add(b.delay), nil
	}
	cost := time.Duration(float64(n) / b.rate * float64(time.Second))
	for {
		b.mu.Lock()
		now := time.Now()
		if b.free.Before(now) {
			b.free = now
		}
		waiting := b.free.Sub(now)
		if waiting <= b.queue {
			b.free = b.free.Add(cost)
			arrival := b.free.Add(b.delay)
			b.mu.Unlock()
			return arrival, nil
		}
		b.mu.Unlock()
		if err := a.wait(now.Add(waiting - b.queue)); err != nil {
			return time.Time{}, err
		}
	}
}

type parcel struct {
	data    []byte
	arrival time.Time
}

// move carries src's bytes to dst until src ends (nil) or either fails.
func (b *bottleneck) move(dst io.Writer, src io.Reader) error {
	reading, err := newAlarm()
	if err != nil {
		return err
	}
	defer reading.close()
	writing, err := newAlarm() // closed by the goroutine
	if err != nil {
		return err
	}
	parcels := make(chan parcel, b.flight/chunk)
	done := make(chan error, 1)
	go func() {
		defer writing.close()
		var failed error
		for p := range parcels {
			if failed != nil {
				continue
			}
			if failed = writing.wait(p.arrival); failed == nil {
				_, failed = dst.Write(p.data)
			}
			if failed != nil {
				// The reader learns of it by the connection that it reads from being closed.
				if closer, ok := src.(io.Closer); ok {
					closer.Close()
				}
			}
		}
		done <- failed
	}()
	var readErr error
	for readErr == nil {
		buffer := make([]byte, chunk)
		n, err := src.Read(buffer)
		if n > 0 {
			arrival, failed := b.admit(n, reading)
			if failed != nil {
				readErr = failed
				break
			}
			parcels <- parcel{buffer[:n], arrival}
		}
		readErr = err
	}
	close(parcels)
	if err := <-done; err != nil {
		return err
	}
	if errors.Is(readErr, io.EOF) {
		return nil
	}
	return readErr
}
