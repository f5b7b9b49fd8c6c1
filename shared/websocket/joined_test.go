//go:build !js

package websocket

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

// frame returns a binary frame with n bytes of payload. The mask is 0, so that the payload is
// to be seen.
func frame(n int, masked bool) []byte {
	f, bit := []byte{0x82, 0}, byte(0)
	if masked {
		bit = 0x80
	}
	switch {
	case n > 0xffff:
		f[1] = 127 | bit
		f = binary.BigEndian.AppendUint64(f, uint64(n))
	case n > 125:
		f[1] = 126 | bit
		f = binary.BigEndian.AppendUint16(f, uint16(n))
	default:
		f[1] = byte(n) | bit
	}
	if masked {
		f = append(f, 0, 0, 0, 0)
	}
	for i := range n {
		f = append(f, byte(i*7))
	}
	return f
}

// recorder keeps what is written, write by write.
type recorder struct{ writes [][]byte }

func (r *recorder) Write(b []byte) (int, error) {
	r.writes = append(r.writes, slices.Clone(b))
	return len(b), nil
}

func (r *recorder) all() []byte { return slices.Concat(r.writes...) }

// inPieces writes a frame as the library does with a buffer of that size.
func inPieces(t *testing.T, to io.Writer, frame []byte, size int, rest bool) {
	t.Helper()
	for len(frame) > 0 {
		n := min(size, len(frame))
		if m, err := to.Write(frame[:n]); m != n || err != nil {
			t.Fatalf("%d of %d bytes, %v", m, n, err)
		}
		if frame = frame[n:]; rest {
			size = max(1, len(frame))
		}
	}
}

func TestFrameLength(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 127, 128, 0xffff, 0x10000, 512 << 10} {
		for _, masked := range []bool{false, true} {
			f := frame(n, masked)
			if got := frameLength(f[:min(len(f), serverPiece)]); got != len(f) {
				t.Errorf("%d bytes, masked %t: %d, want %d", n, masked, got, len(f))
			}
		}
	}
}

func TestClientFrameIsJoined(t *testing.T) {
	var to recorder
	j := &joined{to: &to, class: clientHolds}
	var want []byte
	for _, n := range []int{1, 4082, 4083, 65_000, 512 << 10, 100} {
		f := frame(n, true)
		before := len(to.writes)
		inPieces(t, j, f, 4<<10, false)
		if got, most := len(to.writes)-before, 1+len(f)/(64<<10); got > most {
			t.Errorf("%d bytes: %d writes, want %d at most", n, got, most)
		}
		if want = append(want, f...); !bytes.Equal(to.all(), want) || j.held != nil {
			t.Fatalf("%d bytes: not all is written with the last piece", n)
		}
	}
}

// TestServerFrameIsOneWrite: the kernel gets both pieces at once.
func TestServerFrameIsOneWrite(t *testing.T) {
	near, far := servertest.Pair(t)
	var beside recorder
	j := &joined{to: io.MultiWriter(&beside, near), vector: near, class: serverHolds}
	for _, n := range []int{600, 70_000, 512 << 10} {
		f := frame(n, false)
		got := make(chan []byte)
		go func() {
			b := make([]byte, len(f))
			_, _ = io.ReadFull(far, b) // the comparison tells
			got <- b
		}()
		inPieces(t, j, f, serverPiece, true)
		if !bytes.Equal(<-got, f) {
			t.Errorf("%d bytes: others came", n)
		}
	}
	if len(beside.writes) != 1 || len(beside.writes[0]) > 700 { // the short frame, joined
		t.Errorf("%d writes in place of vectors", len(beside.writes))
	}
}

// FuzzJoined: however a frame is cut, all of it is written when its last piece has come.
func FuzzJoined(f *testing.F) {
	f.Add(uint32(5), uint16(300), uint16(1), true)
	f.Add(uint32(100_000), uint16(4096), uint16(4096), true)
	f.Add(uint32(70_000), uint16(512), uint16(60_000), false)
	f.Fuzz(func(t *testing.T, size uint32, first, next uint16, masked bool) {
		var to recorder
		j := &joined{to: &to, class: serverHolds}
		if masked {
			j.class = clientHolds
		}
		var want []byte
		for range 2 { // the second finds what the first has left
			f := frame(int(size%(1<<20)), masked)
			pieces := max(int(first), 14)
			for rest := f; len(rest) > 0; {
				n := min(pieces, len(rest))
				if _, err := j.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest, pieces = rest[n:], max(int(next), 1)
			}
			if want = append(want, f...); !bytes.Equal(to.all(), want) {
				t.Fatal("what is written differs")
			}
		}
	})
}
