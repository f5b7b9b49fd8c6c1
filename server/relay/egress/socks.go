package egress

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/sockmux/sockmux/shared/wire"
)

// Numbers of RFC 1928 and RFC 1929.
const (
	socksVersion    = 5
	passwordVersion = 1

	methodNone     = 0x00
	methodPassword = 0x02
	methodNoneFits = 0xff

	commandConnect = 1

	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// replies are those of RFC 1928, section 6.
var replies = []struct {
	code    wire.Code
	meaning string
}{
	1: {wire.Internal, "general SOCKS server failure"},
	2: {wire.Denied, "connection not allowed by ruleset"},
	3: {wire.NetworkUnreachable, "network unreachable"},
	4: {wire.HostUnreachable, "host unreachable"},
	5: {wire.Refused, "connection refused"},
	6: {wire.TimedOut, "TTL expired"}, // of packets, says the RFC; what proxies mean is that there was no answer in time
	7: {wire.Internal, "command not supported"},
	8: {wire.AddressNotAvailable, "address type not supported"},
}

// socks5 asks a SOCKS proxy.
func socks5(c *credentials) func(net.Conn, netip.AddrPort) (netip.AddrPort, error) {
	return func(conn net.Conn, addr netip.AddrPort) (netip.AddrPort, error) {
		if err := greet(conn, c); err != nil {
			return netip.AddrPort{}, err
		}
		request := []byte{socksVersion, commandConnect, 0, addressIPv6}
		if addr.Addr().Is4() {
			request[3] = addressIPv4
		}
		request = append(request, addr.Addr().AsSlice()...)
		request = binary.BigEndian.AppendUint16(request, addr.Port())
		if _, err := conn.Write(request); err != nil {
			return netip.AddrPort{}, err
		}
		return readReply(conn, addr)
	}
}

// greet agrees on a method and gives the credentials, if the proxy wants them.
func greet(conn net.Conn, c *credentials) error {
	methods := []byte{socksVersion, 1, methodNone}
	if c != nil {
		methods = []byte{socksVersion, 2, methodNone, methodPassword}
	}
	if _, err := conn.Write(methods); err != nil {
		return err
	}
	var choice [2]byte
	if err := readAll(conn, choice[:]); err != nil {
		return err
	}
	switch method := choice[1]; {
	case choice[0] != socksVersion:
		return fmt.Errorf("it answers with version %d; want %d", choice[0], socksVersion)
	case method == methodNone:
		return nil
	case method == methodPassword && c != nil:
		return logIn(conn, c)
	case method == methodNoneFits || method == methodPassword:
		return told(wire.Internal, "the server's upstream proxy wants other credentials", fmt.Errorf("the proxy takes none of the methods %v", methods[2:]))
	default:
		return fmt.Errorf("it chose the method %d, which was not offered", method)
	}
}

// logIn is RFC 1929.
func logIn(conn net.Conn, c *credentials) error {
	message := append([]byte{passwordVersion, byte(len(c.user))}, c.user...)
	message = append(append(message, byte(len(c.password))), c.password...)
	if _, err := conn.Write(message); err != nil {
		return err
	}
	var answer [2]byte
	if err := readAll(conn, answer[:]); err != nil {
		return err
	}
	if answer[1] != 0 {
		return told(wire.Internal, "the server's upstream proxy does not take the server's credentials", fmt.Errorf("the proxy answers the password with status %d", answer[1]))
	}
	return nil
}

// readReply returns the address that the proxy has bound.
func readReply(conn net.Conn, addr netip.AddrPort) (netip.AddrPort, error) {
	var head [4]byte
	if err := readAll(conn, head[:2]); err != nil {
		return netip.AddrPort{}, err
	}
	if head[0] != socksVersion {
		return netip.AddrPort{}, fmt.Errorf("it replies with version %d; want %d", head[0], socksVersion)
	}
	if reply := int(head[1]); reply >= len(replies) {
		return netip.AddrPort{}, fmt.Errorf("it replies %d, which means nothing", reply)
	} else if reply != 0 { // some proxies send no more of a refusal
		return netip.AddrPort{}, refused(replies[reply].code, addr, fmt.Errorf("the proxy replies %d: %s", reply, replies[reply].meaning))
	}
	if err := readAll(conn, head[2:]); err != nil {
		return netip.AddrPort{}, err
	}
	var size int
	switch head[3] {
	case addressIPv4:
		size = 4
	case addressIPv6:
		size = 16
	case addressName:
		var length [1]byte
		if err := readAll(conn, length[:]); err != nil {
			return netip.AddrPort{}, err
		}
		size = int(length[0])
	default:
		return netip.AddrPort{}, fmt.Errorf("it replies with an address of type %d", head[3])
	}
	bound := make([]byte, size+2)
	if err := readAll(conn, bound); err != nil {
		return netip.AddrPort{}, err
	}
	if head[3] == addressName {
		return netip.AddrPort{}, nil
	}
	ip, _ := netip.AddrFromSlice(bound[:size]) // of 4 or 16 bytes
	return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(bound[size:])), nil
}

// readAll fills the buffer and reads no further.
func readAll(conn io.Reader, buffer []byte) error {
	_, err := io.ReadFull(conn, buffer)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("it closed the connection in the middle of the handshake")
	}
	return err
}
