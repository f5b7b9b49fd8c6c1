package notsentlowat_test

import (
	"testing"

	"github.com/sockmux/sockmux/internal/notsentlowat"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// The option of a real connection follows the messages, up and down.
func TestFollow(t *testing.T) {
	conn, _ := servertest.Pair(t)
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	f := notsentlowat.Follow(raw)
	for _, step := range []struct {
		length, times int
		want          int
	}{
		{0, 0, 128 << 10},
		{512 << 10, 1, 2 << 20},
		{64 << 10, 31, 2 << 20},
		{64 << 10, 1, 256 << 10},
		{1 << 10, 256, 128 << 10},
	} {
		for range step.times {
			f.Sending(step.length)
		}
		if got := servertest.Unsent(t, conn); got != step.want {
			t.Errorf("after %d messages of %d bytes: %d KiB, want %d", step.times, step.length, got>>10, step.want>>10)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	f.Sending(512 << 10) // on a connection that has ended nothing happens
}
