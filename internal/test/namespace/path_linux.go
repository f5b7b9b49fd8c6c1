package namespace

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

// Path is a way to a second machine: the network of the namespace on the one end, at Near, and
// another network on the other end, at Far. It swallows packets that are too long and tells
// no one, as some tunnels and firewalls do.
type Path struct {
	Near, Far netip.Addr

	longest int
	dropped atomic.Int64
	ends    [2]*os.File
	calls   chan func() // to the goroutine whose thread is in the other network
	tasks   sync.WaitGroup
}

// NewPath makes a path that swallows packets of more than longest bytes. It lives until the
// test's end. The devices at its ends take packets of 1500 bytes.
func NewPath(t *testing.T, longest int) *Path {
	t.Helper()
	p := &Path{Near: netip.MustParseAddr("10.9.0.1"), Far: netip.MustParseAddr("10.9.0.2"), longest: longest, calls: make(chan func())}
	p.ends[0] = device(t, p.Near)
	ready := make(chan error)
	p.tasks.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		if err == nil {
			for call := range p.calls {
				call()
			}
		}
	})
	if err := <-ready; err != nil {
		t.Fatalf("a second network: %v", err)
	}
	t.Cleanup(func() {
		close(p.calls)
		for _, end := range p.ends {
			_ = end.Close() // its reader ends
		}
		p.tasks.Wait()
	})
	p.there(func() { p.ends[1] = device(t, p.Far) })
	for i, from := range p.ends {
		p.tasks.Go(func() { p.forward(from, p.ends[1-i]) })
	}
	return p
}

// there calls f in the other network and waits.
func (p *Path) there(f func()) {
	done := make(chan struct{})
	p.calls <- func() {
		defer close(done)
		f()
	}
	<-done
}

// Dial connects from the far end to an address of the near one.
func (p *Path) Dial(address string) (conn net.Conn, err error) {
	p.there(func() { conn, err = net.Dial("tcp", address) })
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
func device(t *testing.T, addr netip.Addr) *os.File {
	name := "path" + strconv.FormatInt(devices.Add(1), 10)
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Errorf("/dev/net/tun: %v", err)
		return nil
	}
	request := func(fill func(*unix.Ifreq) error) *unix.Ifreq {
		r, err := unix.NewIfreq(name)
		if err == nil {
			err = fill(r)
		}
		if err != nil {
			t.Error(err)
		}
		return r
	}
	flags := func(flags uint16) *unix.Ifreq {
		return request(func(r *unix.Ifreq) error {
			r.SetUint16(flags)
			return nil
		})
	}
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, flags(unix.IFF_TUN|unix.IFF_NO_PI)); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	control(t, unix.SIOCSIFADDR, request(func(r *unix.Ifreq) error { return r.SetInet4Addr(addr.AsSlice()) }))
	control(t, unix.SIOCSIFNETMASK, request(func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }))
	control(t, unix.SIOCSIFFLAGS, flags(unix.IFF_UP|unix.IFF_RUNNING))
	return os.NewFile(uintptr(fd), name)
}
