package netns

import (
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// queueLength is how many packets the kernel keeps for a device's reader. It is more than TCP
// has under way, so that the reader alone decides what is dropped.
const queueLength = 10_000

// Open makes a TUN device with an address in the network of the calling thread, and sets it up.
// Flags are those of TUNSETIFF beside IFF_TUN and IFF_NO_PI. It returns the descriptor, which
// does not block; the device ends when it is closed.
func Open(name string, address netip.Prefix, flags uint16) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, fmt.Errorf("/dev/net/tun: %w", err)
	}
	if err := setUp(fd, name, address, flags); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("device %s: %w", name, err)
	}
	return fd, nil
}

func setUp(fd int, name string, address netip.Prefix, flags uint16) error {
	device, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI | flags)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, device); err != nil {
		return os.NewSyscallError("TUNSETIFF", err)
	}
	ones := ^uint32(0) << (32 - address.Bits())
	mask := []byte{byte(ones >> 24), byte(ones >> 16), byte(ones >> 8), byte(ones)}
	for _, step := range []struct {
		name    string
		request uint
		fill    func(*unix.Ifreq) error
	}{
		{"SIOCSIFADDR", unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(address.Addr().AsSlice()) }},
		{"SIOCSIFNETMASK", unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr(mask) }},
		{"SIOCSIFTXQLEN", unix.SIOCSIFTXQLEN, func(r *unix.Ifreq) error { r.SetUint32(queueLength); return nil }},
	} {
		if err := control(step.name, step.request, name, step.fill); err != nil {
			return err
		}
	}
	return up(name)
}

// up sets an interface up in the network of the calling thread.
func up(name string) error {
	return control("SIOCSIFFLAGS", unix.SIOCSIFFLAGS, name, func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return nil
	})
}

// control makes one request about an interface.
func control(call string, request uint, name string, fill func(*unix.Ifreq) error) error {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := fill(r); err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	return os.NewSyscallError(call, unix.IoctlIfreq(fd, request, r))
}
