package wire

import (
	"encoding/binary"
	"math"
	"time"
)

// The numbers of socket options on the wire (docs/PROTOCOL.md, section 5.1).
const (
	SocketNoDelay      = 1
	SocketKeepAlive    = 2
	SocketKeepIdle     = 3
	SocketKeepInterval = 4
	SocketKeepCount    = 5
)

// Switch is an option that is on, off, or not set.
type Switch uint8

// The positions of a Switch.
const (
	Unset Switch = iota
	On
	Off
)

// SwitchOf returns On or Off.
func SwitchOf(on bool) Switch {
	if on {
		return On
	}
	return Off
}

// SocketOptions are options of the connection to a target, as setsockopt(2) knows them. The zero
// value sets none.
type SocketOptions struct {
	NoDelay      Switch        // TCP_NODELAY
	KeepAlive    Switch        // SO_KEEPALIVE
	KeepIdle     time.Duration // TCP_KEEPIDLE; seconds on the wire; 0: not set
	KeepInterval time.Duration // TCP_KEEPINTVL; likewise
	KeepCount    uint32        // TCP_KEEPCNT; 0: not set
}

// With returns the options with those of other set over them.
func (o SocketOptions) With(other SocketOptions) SocketOptions {
	if other.NoDelay != Unset {
		o.NoDelay = other.NoDelay
	}
	if other.KeepAlive != Unset {
		o.KeepAlive = other.KeepAlive
	}
	if other.KeepIdle != 0 {
		o.KeepIdle = other.KeepIdle
	}
	if other.KeepInterval != 0 {
		o.KeepInterval = other.KeepInterval
	}
	if other.KeepCount != 0 {
		o.KeepCount = other.KeepCount
	}
	return o
}

// Append appends the options that are set. A time of less than a second counts as one.
func (o SocketOptions) Append(to []byte) []byte {
	add := func(number byte, value uint32) { to = binary.BigEndian.AppendUint32(append(to, number), value) }
	turn := func(number byte, position Switch) {
		switch position {
		case On:
			add(number, 1)
		case Off:
			add(number, 0)
		}
	}
	turn(SocketNoDelay, o.NoDelay)
	turn(SocketKeepAlive, o.KeepAlive)
	if o.KeepIdle > 0 {
		add(SocketKeepIdle, wholeSeconds(o.KeepIdle))
	}
	if o.KeepInterval > 0 {
		add(SocketKeepInterval, wholeSeconds(o.KeepInterval))
	}
	if o.KeepCount > 0 {
		add(SocketKeepCount, o.KeepCount)
	}
	return to
}

func wholeSeconds(d time.Duration) uint32 {
	seconds := d / time.Second
	if d%time.Second > 0 {
		seconds++
	}
	return uint32(min(seconds, math.MaxUint32))
}

// DecodeSocketOptions reads what Append has written. An option that is not known is passed over, as
// is a time or a count of 0. Its error is an *Error.
func DecodeSocketOptions(b []byte) (SocketOptions, error) {
	o, ok := decodeSocketOptions(read(b))
	if !ok {
		return SocketOptions{}, NewError(InvalidRequest, "malformed socket options")
	}
	return o, nil
}

func decodeSocketOptions(r *reader) (o SocketOptions, ok bool) {
	for len(r.rest) > 0 && r.ok {
		number, value := r.u8(), r.u32()
		if !r.ok {
			break
		}
		switch number {
		case SocketNoDelay:
			o.NoDelay = SwitchOf(value != 0)
		case SocketKeepAlive:
			o.KeepAlive = SwitchOf(value != 0)
		case SocketKeepIdle:
			o.KeepIdle = time.Duration(value) * time.Second
		case SocketKeepInterval:
			o.KeepInterval = time.Duration(value) * time.Second
		case SocketKeepCount:
			o.KeepCount = value
		}
	}
	return o, r.ok
}
