package namespace

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sockmux/sockmux/internal/netns"
)

// Path is a way to a second machine: the network of the namespace on the one end, at Near, and
// another network on the other end, at Far. It swallows packets that are too long and tells
// no one, as some tunnels and firewalls do.
type Path struct {
	Near, Far netip.Addr

	longest int
	dropped atomic.Int64
	ends    [2]*os.File
	other   *netns.Network
	tasks   sync.WaitGroup
}

// NewPath makes a path that swallows packets of more than longest bytes. It lives until the
// test's end. The devices at its ends take packets of 1500 bytes.
func NewPath(t *testing.T, longest int) *Path {
	t.Helper()
	p := &Path{Near: netip.MustParseAddr("10.9.0.1"), Far: netip.MustParseAddr("10.9.0.2"), longest: longest}
	var err error
	if p.other, err = netns.New(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, end := range p.ends {
			if end != nil {
				_ = end.Close() // its reader ends
			}
		}
		p.tasks.Wait()
		p.other.Close()
	})
	if p.ends[0], err = device(p.Near); err != nil {
		t.Fatal(err)
	}
	err = p.other.Do(func() (err error) {
		p.ends[1], err = device(p.Far)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, from := range p.ends {
		p.tasks.Go(func() { p.forward(from, p.ends[1-i]) })
	}
	return p
}

// Dial connects from the far end to an address of the near one.
func (p *Path) Dial(address string) (conn net.Conn, err error) {
	err = p.other.Do(func() (err error) {
		conn, err = net.Dial("tcp", address)
		return err
	})
	return conn, err
}

// Dropped returns how many packets have been swallowed so far.
func (p *Path) Dropped() int64 { return p.dropped.Load() }

// forward passes packets on until the path ends.
func (p *Path) forward(from, to *os.File) {
	packet := make([]byte, 1<<16)
	for {
		n, err := from.Read(packet)
		if err != nil {
			return // the path has ended
		}
		if n > p.longest {
			p.dropped.Add(1)
			continue
		}
		_, _ = to.Write(packet[:n]) // a packet that is lost is sent again
	}
}

// devices counts the devices of all paths.
var devices atomic.Int64

// device makes a TUN device with an address in the network of the calling thread.
func device(addr netip.Addr) (*os.File, error) {
	name := "path" + strconv.FormatInt(devices.Add(1), 10)
	fd, err := netns.Open(name, netip.PrefixFrom(addr, 24), 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}
