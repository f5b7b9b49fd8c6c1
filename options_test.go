package sockmux

import (
	"slices"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// recorder keeps the options that a Conn sets. Its other methods are not called.
type recorder struct {
	stream
	got []wire.SocketOptions
}

func (r *recorder) SetSocketOptions(options wire.SocketOptions) { r.got = append(r.got, options) }

// TestKeepAlivePeriod: the period counts where keep-alive is on, as it is by default, and turns
// nothing on.
func TestKeepAlivePeriod(t *testing.T) {
	r := new(recorder)
	c := newConn(new(Dialer), r, "tcp", nil, nil)
	for _, err := range []error{
		c.SetKeepAlivePeriod(time.Second),
		c.SetKeepAlive(false),
		c.SetKeepAlivePeriod(2 * time.Second),
		c.SetKeepAlive(true),
		c.SetKeepAlivePeriod(3 * time.Second),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	want := []wire.SocketOptions{
		{KeepAlive: wire.On, KeepIdle: time.Second},
		{KeepAlive: wire.Off},
		{KeepAlive: wire.Off, KeepIdle: 2 * time.Second},
		{KeepAlive: wire.On},
		{KeepAlive: wire.On, KeepIdle: 3 * time.Second},
	}
	if !slices.Equal(r.got, want) {
		t.Errorf("set %v, want %v", r.got, want)
	}
}
