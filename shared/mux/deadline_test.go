package mux_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// TestWriteDeadline takes what the window has room for, and goes on behind the deadline
// without a gap.
func TestWriteDeadline(t *testing.T) {
	read := make(chan struct{})
	got := make(chan int, 1)
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		defer s.Close()
		<-read
		all, _ := io.ReadAll(s) // what it lacks the test sees
		for i, b := range all {
			if b != byte(i%251) {
				t.Errorf("byte %d is %d", i, b)
				break
			}
		}
		got <- len(all)
	}))
	stream := open(t, e.client)
	bytes := make([]byte, 8<<20)
	for i := range bytes {
		bytes[i] = byte(i % 251)
	}
	stream.SetWriteDeadline(past)
	n, err := stream.Write(bytes)
	if !errors.Is(err, mux.ErrDeadline) || n < 256<<10 || n == len(bytes) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if m, err := stream.Write(bytes[n:]); m != 0 || !errors.Is(err, mux.ErrDeadline) {
		t.Fatalf("into a full window: %d bytes, %v", m, err)
	}
	stream.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	if m, err := stream.Write(bytes[n:]); m != 0 || !errors.Is(err, mux.ErrDeadline) {
		t.Fatalf("a Write that waits: %d bytes, %v", m, err)
	}
	stream.SetWriteDeadline(time.Time{})
	close(read)
	if m, err := stream.Write(bytes[n:]); err != nil || n+m != len(bytes) {
		t.Fatalf("%d bytes, %v", m, err)
	}
	_ = stream.Close()
	if all := <-got; all != len(bytes) {
		t.Errorf("%d bytes came, want %d", all, len(bytes))
	}
}

// TestReadable says what Read would do.
func TestReadable(t *testing.T) {
	write := make(chan struct{})
	e := connect(t, mux.Config{}, accepted(t, func(s *mux.Stream) {
		for range write {
			_, _ = s.Write([]byte("x")) // what it lacks the test sees
		}
		_ = s.Reset(wire.Refused, "")
	}))
	stream := open(t, e.client)
	if stream.Readable() {
		t.Error("before a byte")
	}
	write <- struct{}{}
	stream.WaitReadable()
	if !stream.Readable() {
		t.Error("with a byte")
	}
	stream.SetReadDeadline(past)
	if !stream.Readable() {
		t.Error("with a byte behind the deadline")
	}
	stream.SetReadDeadline(time.Time{})
	if _, err := stream.Read(make([]byte, 5)); err != nil || stream.Readable() {
		t.Errorf("behind the byte: %v", err)
	}
	close(write)
	stream.WaitReadable()
	if _, err := stream.Read(make([]byte, 5)); err == nil || !stream.Readable() {
		t.Errorf("behind the reset: %v", err)
	}
	_ = stream.Close()
}
