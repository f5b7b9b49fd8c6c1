package main

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
)

// socks is as much of SOCKS5 (RFC 1928) as a benchmark needs: CONNECT without
// authentication, to names and IPv4 addresses.
func socks(conn net.Conn) {
	target, err := socksTarget(conn)
	if err != nil {
		return
	}
	upstream, err := net.Dial("tcp", target)
	if err != nil {
		conn.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0}) // connection refused
		return
	}
	defer upstream.Close()
	if _, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return
	}
	go func() {
		io.Copy(upstream, conn)
		upstream.(*net.TCPConn).CloseWrite()
	}()
	io.Copy(conn, upstream)
}

// socksTarget reads greeting and request, answering the greeting.
func socksTarget(conn net.Conn) (string, error) {
	var head [5]byte
	if _, err := io.ReadFull(conn, head[:2]); err != nil {
		return "", err
	}
	if _, err := io.CopyN(io.Discard, conn, int64(head[1])); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte{5, 0}); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(conn, head[:5]); err != nil {
		return "", err
	}
	const ipv4, name = 1, 3
	var rest []byte
	switch head[3] {
	case ipv4: // head[4] is its first byte
		rest = make([]byte, 3+2)
	case name:
		rest = make([]byte, int(head[4])+2)
	default:
		return "", io.ErrUnexpectedEOF
	}
	if _, err := io.ReadFull(conn, rest); err != nil {
		return "", err
	}
	host := string(rest[:len(rest)-2])
	if head[3] == ipv4 {
		host = net.IPv4(head[4], rest[0], rest[1], rest[2]).String()
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(rest[len(rest)-2:])))), nil
}
