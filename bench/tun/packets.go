package main

import (
	"encoding/binary"
	"time"
)

// headerLength is that of a virtio_net_hdr, which the kernel puts before each packet of a device
// with IFF_VNET_HDR (linux/virtio_net.h).
const headerLength = 10

// longest is a packet of the largest size with its header.
const longest = headerLength + 1<<16

// wireBytes returns how many bytes a packet takes on the line. A packet that the kernel has yet to
// cut (generic segmentation offload) counts as the packets that it becomes.
func wireBytes(packet []byte) int {
	bytes := len(packet) - headerLength
	headers := int(binary.NativeEndian.Uint16(packet[2:]))
	segment := int(binary.NativeEndian.Uint16(packet[4:]))
	if packet[1] == 0 || segment == 0 || bytes <= headers { // packet[1] is gso_type
		return bytes
	}
	return bytes + ((bytes-headers-1)/segment)*headers
}

// packet is one on its way, with its header.
type packet struct {
	arrival time.Duration
	bytes   []byte
}

// smallest is a buffer for a packet of an Ethernet's size.
const smallest = 2 << 10

// packets are those on their way, in the order of their arrival. It keeps the buffers of those that
// have arrived.
type packets struct {
	waiting []packet
	first   int // those before have arrived
	spare   [2][][]byte
}

// push copies the bytes of a packet.
func (p *packets) push(arrival time.Duration, bytes []byte) {
	if p.first > len(p.waiting)/2 {
		kept := copy(p.waiting, p.waiting[p.first:])
		clear(p.waiting[kept:])
		p.waiting, p.first = p.waiting[:kept], 0
	}
	p.waiting = append(p.waiting, packet{arrival, append(p.buffer(len(bytes)), bytes...)})
}

// next returns the packet that arrives first; it must be dropped before the next call of push.
func (p *packets) next() (packet, bool) {
	if p.first == len(p.waiting) {
		return packet{}, false
	}
	return p.waiting[p.first], true
}

// drop takes away the packet that next returned.
func (p *packets) drop() {
	bytes := p.waiting[p.first].bytes
	p.waiting[p.first] = packet{}
	p.first++
	size := sizeClass(cap(bytes))
	p.spare[size] = append(p.spare[size], bytes[:0])
}

func (p *packets) buffer(length int) []byte {
	size := sizeClass(length)
	if n := len(p.spare[size]); n > 0 {
		buffer := p.spare[size][n-1]
		p.spare[size] = p.spare[size][:n-1]
		return buffer
	}
	return make([]byte, 0, [...]int{smallest, longest}[size])
}

func sizeClass(length int) int {
	if length <= smallest {
		return 0
	}
	return 1
}
