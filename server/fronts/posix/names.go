package posix

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"

	"github.com/sockmux/sockmux/server/fronts/local"
	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// Flags of getaddrinfo.
const (
	aiPassive     = 0x1
	aiCanonName   = 0x2
	aiNumericHost = 0x4
	aiV4Mapped    = 0x8
	aiAll         = 0x10
	aiAddrConfig  = 0x20
	aiNumericServ = 0x400

	aiKnown = aiPassive | aiCanonName | aiNumericHost | aiV4Mapped | aiAll | aiAddrConfig | aiNumericServ
)

// Results of getaddrinfo.
const (
	eaiBadFlags int32 = -1
	eaiNoName   int32 = -2
	eaiAgain    int32 = -3
	eaiFail     int32 = -4
	eaiFamily   int32 = -6
	eaiSockType int32 = -7
	eaiService  int32 = -8
	eaiSystem   int32 = -11
)

// names are the addresses that a program has looked up, with the names that it gave. Any number
// of goroutines may use it.
type names struct {
	mu    sync.Mutex
	known map[netip.Addr]named
	order []netip.Addr // the oldest first
}

// named is a name by which an address was found.
type named struct {
	name string
	only bool // the address itself may not be connected to
}

// maxNames bounds the addresses that are kept.
const maxNames = 1024

// learn notes that a name has an address.
func (n *names) learn(name string, address netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.known == nil {
		n.known = make(map[netip.Addr]named)
	}
	before, known := n.known[address]
	if !known {
		if len(n.order) == maxNames {
			delete(n.known, n.order[0])
			n.order = n.order[1:]
		}
		n.order = append(n.order, address)
	}
	n.known[address] = named{name, before.only}
}

// of returns the name by which a program has found an address. known is false if there is none.
func (n *names) of(address netip.Addr) (name named, known bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name, known = n.known[address]
	return name, known
}

// mark notes that an address may be connected to by its name alone.
func (n *names) mark(address netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if name, known := n.known[address]; known {
		n.known[address] = named{name.name, true}
	}
}

// socketTypes are those of the addresses that getaddrinfo returns, as musl has them.
var socketTypes = []struct{ kind, protocol int32 }{{typeStream, protocolTCP}, {typeDatagram, protocolUDP}}

// lookup implements getaddrinfo. It returns the message of the result.
func (b *bridge) lookup(ctx context.Context, id int32, l calls.Lookup) []byte {
	if !l.Hints {
		l.Flags, l.Family, l.Type, l.Protocol = aiV4Mapped|aiAddrConfig, calls.AFUnspec, 0, 0
	}
	if code := checkLookup(l); code != 0 {
		return calls.LookupFailure(id, code, 0)
	}
	port, code := portOf(ctx, l)
	if code != 0 {
		return calls.LookupFailure(id, code, 0)
	}
	addresses, code, e := b.addresses(ctx, l)
	if code != 0 {
		return calls.LookupFailure(id, code, e)
	}
	canonical := ""
	if l.Flags&aiCanonName != 0 {
		canonical = l.Node
	}
	var entries []calls.Entry
	for _, address := range addresses {
		family := int32(calls.AFInet6)
		if address.Is4() {
			family = calls.AFInet
		}
		for _, t := range socketTypes {
			if l.Type != 0 && l.Type != t.kind || l.Protocol != 0 && l.Protocol != t.protocol {
				continue
			}
			entries = append(entries, calls.Entry{
				Flags: l.Flags, Family: family, Type: t.kind, Protocol: t.protocol,
				Address: calls.AppendAddress(nil, family, netip.AddrPortFrom(address, port)),
			})
		}
	}
	if len(entries) == 0 { // a program takes an empty list for one with garbage
		return calls.LookupFailure(id, eaiSockType, 0)
	}
	return calls.Result(id, 0, 0, calls.Found(canonical, entries))
}

// checkLookup returns what is wrong with the hints.
func checkLookup(l calls.Lookup) (code int32) {
	switch {
	case l.Flags&^aiKnown != 0 || l.Flags&aiCanonName != 0 && l.Node == "":
		return eaiBadFlags
	case l.Node == "" && l.Service == "":
		return eaiNoName
	case l.Family != calls.AFUnspec && l.Family != calls.AFInet && l.Family != calls.AFInet6:
		return eaiFamily
	case l.Type != 0 && l.Type != typeStream && l.Type != typeDatagram:
		return eaiSockType
	}
	return 0
}

// portOf returns the port of a service.
func portOf(ctx context.Context, l calls.Lookup) (port uint16, code int32) {
	if l.Service == "" {
		return 0, 0
	}
	if n, err := strconv.ParseUint(l.Service, 10, 16); err == nil {
		return uint16(n), 0
	}
	if l.Flags&aiNumericServ != 0 {
		return 0, eaiNoName
	}
	network := "tcp"
	if l.Type == typeDatagram {
		network = "udp"
	}
	n, err := net.DefaultResolver.LookupPort(ctx, network, l.Service)
	if err != nil {
		return 0, eaiService
	}
	return uint16(n), 0
}

// addresses returns the addresses of a node.
func (b *bridge) addresses(ctx context.Context, l calls.Lookup) (found []netip.Addr, code int32, e errno) {
	if l.Node == "" {
		found = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
		if l.Flags&aiPassive != 0 {
			found = []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
		}
		return ofFamily(found, l)
	}
	if literal, ok := literalOf(l.Node); ok {
		return ofFamily([]netip.Addr{literal}, l)
	}
	if l.Flags&aiNumericHost != 0 {
		return nil, eaiNoName, 0
	}
	family := uint8(0)
	switch {
	case l.Family == calls.AFInet:
		family = 4
	case l.Family == calls.AFInet6 && l.Flags&aiV4Mapped == 0:
		family = 6
	}
	answer, err := b.resolve(ctx, wire.Request{Kind: wire.Resolve, Host: wire.ParseHost(l.Node), Family: family})
	if err != nil {
		code, e = lookupError(local.CodeOf(err))
		return nil, code, e
	}
	for _, address := range answer.Addrs {
		b.names.learn(l.Node, address)
	}
	return ofFamily(answer.Addrs, l)
}

// literalOf reads an address, also in the shorter forms that inet_aton(3) takes.
func literalOf(node string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(node); err == nil && address.Zone() == "" {
		return address, true
	}
	parts := strings.Split(node, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var whole uint64
	for i, part := range parts {
		if part == "" || part[0] < '0' || part[0] > '9' || strings.Contains(part, "_") || strings.HasPrefix(strings.ToLower(part), "0b") || strings.HasPrefix(strings.ToLower(part), "0o") {
			return netip.Addr{}, false
		}
		value, err := strconv.ParseUint(part, 0, 32)
		rest := 4 - i // bytes that are left
		last := i == len(parts)-1
		if err != nil || !last && value > 0xff || last && value >= 1<<(8*rest) {
			return netip.Addr{}, false
		}
		if last {
			whole = whole<<(8*rest) | value
		} else {
			whole = whole<<8 | value
		}
	}
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, uint32(whole)))), true
}

// ofFamily returns those of the addresses that are wanted.
func ofFamily(addresses []netip.Addr, l calls.Lookup) (found []netip.Addr, code int32, e errno) {
	var mapped []netip.Addr
	for _, address := range addresses {
		switch {
		case l.Family == calls.AFUnspec, address.Is4() == (l.Family == calls.AFInet):
			found = append(found, address)
		case address.Is4() && l.Family == calls.AFInet6:
			mapped = append(mapped, netip.AddrFrom16(address.As16()))
		}
	}
	if l.Flags&aiV4Mapped != 0 && (len(found) == 0 || l.Flags&aiAll != 0) {
		found = append(found, mapped...)
	}
	if len(found) == 0 {
		return nil, eaiNoName, 0
	}
	return found, 0, 0
}

// lookupError returns what getaddrinfo says for a code.
func lookupError(code wire.Code) (eai int32, e errno) {
	switch code {
	case wire.NameNotFound:
		return eaiNoName, 0
	case wire.NameFailed, wire.TimedOut:
		return eaiAgain, 0
	case wire.InvalidRequest:
		return eaiNoName, 0
	case wire.Internal:
		return eaiFail, 0
	default:
		return eaiSystem, errnoOf(code)
	}
}

// resolve asks a question on a stream of its own.
func (b *bridge) resolve(ctx context.Context, request wire.Request) (wire.Addresses, error) {
	stream, _, err := b.ask(ctx, request)
	if err != nil {
		return wire.Addresses{}, err
	}
	defer func() { _ = stream.Close() }()                                          // it has ended
	stop := context.AfterFunc(ctx, func() { _ = stream.CancelRead(wire.Aborted) }) // never fails
	defer stop()
	answer, err := io.ReadAll(io.LimitReader(stream, 2+wire.MaxAddressesSize))
	switch {
	case err != nil:
		return wire.Addresses{}, fmt.Errorf("reading the answer: %w", err)
	case len(answer) < 2:
		return wire.Addresses{}, wire.NewError(wire.Protocol, "an answer without its length")
	}
	addresses, err := wire.DecodeAddresses(answer[2:])
	if err != nil {
		return wire.Addresses{}, fmt.Errorf("reading the answer: %w", err)
	}
	return addresses, nil
}
