package main

import (
	"encoding/binary"
	"testing"
	"time"
)

func TestWireBytes(t *testing.T) {
	for name, test := range map[string]struct {
		bytes   int
		gso     byte
		headers uint16
		segment uint16
		want    int
	}{
		"a packet":                            {1500, 0, 0, 0, 1500},
		"one segment":                         {52 + 1448, 1, 52, 1448, 1500},
		"two full ones":                       {52 + 2*1448, 1, 52, 1448, 2 * 1500},
		"two full ones and a byte":            {52 + 2*1448 + 1, 1, 52, 1448, 2*1500 + 53},
		"no size of a segment":                {1500, 1, 52, 0, 1500},
		"headers alone":                       {52, 1, 52, 1448, 52},
		"sizes that the kernel has no use of": {1500, 0, 52, 100, 1500},
	} {
		packet := make([]byte, headerLength+test.bytes)
		packet[1] = test.gso
		binary.NativeEndian.PutUint16(packet[2:], test.headers)
		binary.NativeEndian.PutUint16(packet[4:], test.segment)
		if got := wireBytes(packet); got != test.want {
			t.Errorf("%s: %d bytes on the line, want %d", name, got, test.want)
		}
	}
}

func TestPacketsComeInTheirOrder(t *testing.T) {
	var p packets
	sent, came := 0, 0
	push := func(n int) {
		for range n {
			size := 100 + sent%3*smallest // of both classes
			bytes := make([]byte, size)
			binary.NativeEndian.PutUint64(bytes, uint64(sent))
			p.push(time.Duration(sent), bytes)
			sent++
		}
	}
	take := func(n int) {
		for range n {
			got, ok := p.next()
			if !ok || got.arrival != time.Duration(came) || len(got.bytes) != 100+came%3*smallest || binary.NativeEndian.Uint64(got.bytes) != uint64(came) {
				t.Fatalf("packet %d: %v, %d bytes, %v", came, got.arrival, len(got.bytes), ok)
			}
			p.drop()
			came++
		}
	}
	for range 20 {
		push(7)
		take(5)
	}
	take(sent - came)
	if _, ok := p.next(); ok {
		t.Error("a packet that was never pushed")
	}
	if kept := len(p.spare[0]) + len(p.spare[1]); kept > 60 {
		t.Errorf("%d buffers for at most 47 packets at once", kept)
	}
}
