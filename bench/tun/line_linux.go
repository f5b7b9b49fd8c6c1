package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/sockmux/sockmux/internal/netns"
)

// The addresses of the two ends. They are in networks of their own, so they are in no one's way.
var (
	nearAddress = netip.MustParsePrefix("10.9.0.1/24")
	farAddress  = netip.MustParsePrefix("10.9.0.2/24")
)

// offloadRate is the rate in bytes a second above which the kernel hands over packets that are yet
// to be cut: packets of 1500 bytes one by one would need the whole of a processor. Below, each
// packet is admitted by itself.
const offloadRate = 60e6

// tunables are what the networks' TCP is set to: what Linux has where no one has changed it, and no
// memory of earlier connections, by which one rival would slow down the next. The congestion
// control stays the system's: a network other than the first may not choose every one.
var tunables = []struct{ name, value string }{
	{"ipv4/tcp_no_metrics_save", "1"},
	{"ipv4/tcp_rmem", "4096 131072 6291456"},
	{"ipv4/tcp_wmem", "4096 16384 4194304"},
	{"ipv4/tcp_slow_start_after_idle", "1"},
}

// Line is two networks and the path between them.
type Line struct {
	Near, Far *netns.Network

	near, far int       // descriptors of the devices
	stop      int       // readable when the line is closed
	down, up  direction // from the far to the near end, and the other way
	tasks     sync.WaitGroup
	once      sync.Once
	failed    error // of either direction
}

// NewLine makes the networks and a path that adds nothing.
func NewLine() (*Line, error) {
	l := &Line{near: -1, far: -1, stop: -1}
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Line) open() (err error) {
	if l.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if l.Near, l.near, err = end(nearAddress); err != nil {
		return err
	}
	if l.Far, l.far, err = end(farAddress); err != nil {
		return err
	}
	if _, err := l.Set(Path{}); err != nil {
		return err
	}
	l.down.from, l.down.to = l.far, l.near
	l.up.from, l.up.to = l.near, l.far
	for _, d := range []*direction{&l.down, &l.up} {
		l.tasks.Go(func() {
			if err := d.run(l.stop); err != nil {
				l.once.Do(func() { l.failed = err })
				l.wake() // the other direction ends too
			}
		})
	}
	return nil
}

// end makes a network with a device in it, whose descriptor it returns.
func end(address netip.Prefix) (*netns.Network, int, error) {
	network, err := netns.New()
	if err != nil {
		return nil, -1, err
	}
	fd := -1
	err = network.Do(func() (err error) {
		for _, t := range tunables {
			if err := os.WriteFile("/proc/sys/net/"+t.name, []byte(t.value), 0); err != nil {
				return fmt.Errorf("%s = %s: %w", t.name, t.value, err)
			}
		}
		if fd, err = netns.Open("line0", address, unix.IFF_VNET_HDR); err != nil {
			return err
		}
		return os.NewSyscallError("TUNSETVNETHDRSZ", unix.IoctlSetPointerInt(fd, unix.TUNSETVNETHDRSZ, headerLength))
	})
	return network, fd, err
}

// Set gives the line a new path and returns what the old one carried, down and up.
func (l *Line) Set(path Path) ([2]Stats, error) {
	offload := 0
	if path.Rate == 0 || path.Rate > offloadRate {
		offload = unix.TUN_F_CSUM | unix.TUN_F_TSO4
	}
	for _, fd := range []int{l.near, l.far} {
		if err := unix.IoctlSetInt(fd, unix.TUNSETOFFLOAD, offload); err != nil {
			return [2]Stats{}, os.NewSyscallError("TUNSETOFFLOAD", err)
		}
	}
	return [2]Stats{l.down.set(path, 1), l.up.set(path, 2)}, nil
}

// Close ends the line and returns why it has ended by itself, if it has.
func (l *Line) Close() error {
	l.wake()
	l.tasks.Wait()
	for _, network := range []*netns.Network{l.Near, l.Far} {
		if network != nil {
			network.Close()
		}
	}
	for _, fd := range []int{l.near, l.far, l.stop} {
		if fd >= 0 {
			l.failed = errors.Join(l.failed, os.NewSyscallError("close", unix.Close(fd)))
		}
	}
	return l.failed
}

// wake makes the descriptor readable that both directions wait for.
func (l *Line) wake() {
	_, _ = unix.Write(l.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // if it is full, it is readable already
}
