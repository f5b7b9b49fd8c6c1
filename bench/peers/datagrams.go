package main

import "net"

// datagramBuffer is what the socket of echoDatagrams keeps: no rival's loss is to be the peer's.
// Without privileges the system gives less.
const datagramBuffer = 4 << 20

// echoDatagrams sends each datagram back until the socket is closed.
func echoDatagrams(socket *net.UDPConn) {
	_ = socket.SetReadBuffer(datagramBuffer) // of an open socket: never fails
	b := make([]byte, 64<<10)
	for {
		n, from, err := socket.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		_, _ = socket.WriteToUDPAddrPort(b[:n], from) // what is not sent is lost, as on any path
	}
}
