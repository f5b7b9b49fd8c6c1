package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/shared/wire"
)

// direct connects without a proxy.
type direct struct {
	source4, source6 netip.Addr // the zero value: the system chooses; if one is set, only families whose source is set are used
	card             *net.Interface
}

func newDirect(source []netip.Addr, name string) (*direct, error) {
	d := &direct{}
	for _, addr := range source {
		of := &d.source6
		if addr = addr.Unmap(); addr.Is4() {
			of = &d.source4
		}
		switch {
		case !addr.IsValid() || addr.IsUnspecified() || addr.IsMulticast():
			return nil, fmt.Errorf("the source address %s cannot be connected from", addr)
		case of.IsValid():
			return nil, fmt.Errorf("the source addresses %s and %s are of one family: want at most one of each", of, addr)
		}
		*of = addr
	}
	if name == "" {
		return d, nil
	}
	if bindDevice == nil {
		return nil, fmt.Errorf("the interface %q cannot be chosen: this system has no way to", name)
	}
	card, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("the interface %q: %w", name, err)
	}
	d.card = card
	return d, nil
}

// DialContext runs check in the hook that is given the address which the system is about
// to connect to: nothing between the check and the connect can change the target.
func (d *direct) DialContext(ctx context.Context, _ wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (Conn, error) {
	network := "tcp6"
	if addr.Addr().Is4() {
		network = "tcp4"
	}
	if !d.has(network) {
		return nil, wire.NewError(wire.AddressNotAvailable, fmt.Sprintf("%s: the server connects from no address of this family", addr))
	}
	return d.dial(ctx, network, addr.String(), check)
}

// has reports whether the family may be used.
func (d *direct) has(network string) bool {
	return d.source(network).IsValid() || !d.source4.IsValid() && !d.source6.IsValid()
}

func (d *direct) source(network string) netip.Addr {
	if network == "tcp4" {
		return d.source4
	}
	return d.source6
}

// dial connects from the source of the network, which is "tcp4", "tcp6" or, where there
// is no source, "tcp". check may be nil.
func (d *direct) dial(ctx context.Context, network, address string, check func(netip.AddrPort) error) (Conn, error) {
	dialer := net.Dialer{
		KeepAliveConfig: KeepAlive,
		ControlContext: func(_ context.Context, network, address string, raw syscall.RawConn) error {
			if check != nil {
				dialed, err := netip.ParseAddrPort(address)
				if err != nil {
					return fmt.Errorf("address %q: %w", address, err)
				}
				if err := check(dialed); err != nil {
					return err
				}
			}
			notsentlowat.Limit(raw)
			if d.card != nil {
				return d.bind(network, raw)
			}
			return nil
		},
	}
	dialer.SetMultipathTCP(false) // middleboxes between servers and targets are not to be tried out on users
	if source := d.source(network); source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil // what net.Dialer gives for tcp
}

func (d *direct) bind(network string, raw syscall.RawConn) error {
	var bound error
	if err := raw.Control(func(fd uintptr) { bound = bindDevice(fd, network == "tcp6", d.card) }); err != nil {
		return err
	}
	if bound != nil {
		return fmt.Errorf("choosing the interface %s: %w", d.card.Name, bound)
	}
	return nil
}

// dialProxy connects to a proxy, which the operator has named: no policy is asked.
func (d *direct) dialProxy(ctx context.Context, address string) (Conn, error) {
	switch {
	case !d.source4.IsValid() && !d.source6.IsValid():
		return d.dial(ctx, "tcp", address, nil)
	case !d.source6.IsValid():
		return d.dial(ctx, "tcp4", address, nil)
	case !d.source4.IsValid():
		return d.dial(ctx, "tcp6", address, nil)
	}
	// The first family may have half of the time.
	half := ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		half, cancel = context.WithTimeout(ctx, time.Until(deadline)/2)
		defer cancel()
	}
	conn, err := d.dial(half, "tcp6", address, nil)
	if err == nil {
		return conn, nil
	}
	return d.dial(ctx, "tcp4", address, nil)
}
