// Package interfaces knows the addresses of this machine.
//
//	own, err := interfaces.New()
//	if own.Contains(addr) {
//		// a connection to addr does not leave the machine
//	}
package interfaces

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// listInterval is for how long one listing of the addresses is used. A listing takes some
// 50 µs, more than a socket's whole policy check. An address that the machine is given
// (DHCP, a floating address) is known so much later at most.
const listInterval = time.Second

// Addresses are the addresses of this machine's interfaces. Any number of goroutines may use
// them.
type Addresses struct {
	list func() ([]netip.Prefix, error)

	mu    sync.Mutex
	at    time.Time // of the listing
	known []netip.Prefix
}

// New lists the addresses. The error says why the system does not tell them.
func New() (*Addresses, error) {
	a := &Addresses{list: listed}
	known, err := a.list()
	if err != nil {
		return nil, fmt.Errorf("addresses of this machine: %w", err)
	}
	a.known, a.at = known, time.Now()
	return a, nil
}

// Contains reports whether addr is one of this machine's addresses. Where a later listing
// fails, the last one that succeeded holds.
func (a *Addresses) Contains(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := time.Now(); now.Sub(a.at) >= listInterval {
		if known, err := a.list(); err == nil {
			a.known = known
		}
		a.at = now
	}
	for _, prefix := range a.known {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// listed asks the system. On a loopback interface all of a prefix is the machine's own, on
// others only the address itself is.
func listed() ([]netip.Prefix, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var known []netip.Prefix
	var failed []error
	for _, one := range all {
		addrs, err := one.Addrs()
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", one.Name, err)) // it may have gone meanwhile
			continue
		}
		for _, addr := range addrs {
			network, ok := addr.(*net.IPNet)
			if !ok {
				continue
			}
			ip, valid := netip.AddrFromSlice(network.IP)
			if !valid {
				continue
			}
			ip = ip.Unmap()
			bits := ip.BitLen()
			if ones, _ := network.Mask.Size(); one.Flags&net.FlagLoopback != 0 && ip.Is4() {
				bits = ones
			}
			prefix, err := ip.Prefix(bits)
			if err != nil {
				return nil, err
			}
			known = append(known, prefix)
		}
	}
	if len(known) == 0 {
		return nil, errors.Join(failed...)
	}
	return known, nil
}
