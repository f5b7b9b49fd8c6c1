package posix

import (
	"encoding/binary"
	"maps"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/fronts/posix/calls"
	"github.com/sockmux/sockmux/shared/wire"
)

// Levels of options, and the options of SOL_SOCKET that are more than a number.
const (
	levelSocket = 1
	levelIP     = 0
	levelIPv6   = 41
	levelTCP    = 6

	optionType       = 3
	optionError      = 4
	optionSendBuffer = 7
	optionRecvBuffer = 8
	optionKeepAlive  = 9
	optionLinger     = 13
	optionAccepts    = 30
	optionProtocol   = 38
	optionDomain     = 39

	optionRecvTimeout   = 20
	optionSendTimeout   = 21
	optionRecvTimeout64 = 66 // with 64-bit seconds
	optionSendTimeout64 = 67

	optionV6Only       = 26
	optionNoDelay      = 1
	optionKeepIdle     = 4
	optionKeepInterval = 5
	optionKeepCount    = 6
)

// optionName is a level and an option of it.
type optionName struct{ level, option int32 }

// number describes an option that is a number. A switch is 0 or 1. Linux doubles the sizes of
// buffers.
type number struct {
	usual    int32
	min, max int32 // of what may be set; a switch: 0 and 0
	buffer   bool
	fixed    bool // cannot be set
	streams  bool // is TCP's
}

// numbers are the options that are numbers, with the values that they have on Linux. Those that a
// stream cannot carry are kept for the program, as those of a socket that is not used yet.
var numbers = map[optionName]number{
	{levelSocket, 2}:                {}, // SO_REUSEADDR
	{levelSocket, 5}:                {}, // SO_DONTROUTE
	{levelSocket, 6}:                {}, // SO_BROADCAST
	{levelSocket, optionSendBuffer}: {usual: 16384, min: 2304, max: 212992, buffer: true},
	{levelSocket, optionRecvBuffer}: {usual: 131072, min: 1152, max: 212992, buffer: true},
	{levelSocket, optionKeepAlive}:  {},
	{levelSocket, 10}:               {},                               // SO_OOBINLINE
	{levelSocket, 12}:               {min: 0, max: 6},                 // SO_PRIORITY
	{levelSocket, 15}:               {},                               // SO_REUSEPORT
	{levelSocket, 18}:               {usual: 1, min: 0, max: 1 << 30}, // SO_RCVLOWAT
	{levelSocket, 19}:               {usual: 1, fixed: true},          // SO_SNDLOWAT
	{levelSocket, 29}:               {},                               // SO_TIMESTAMP
	{levelTCP, optionNoDelay}:       {streams: true},
	{levelTCP, 2}:                   {usual: 536, min: 88, max: 32767, streams: true}, // TCP_MAXSEG
	{levelTCP, 3}:                   {streams: true},                                  // TCP_CORK
	{levelTCP, optionKeepIdle}:      {usual: 7200, min: 1, max: 32767, streams: true},
	{levelTCP, optionKeepInterval}:  {usual: 75, min: 1, max: 32767, streams: true},
	{levelTCP, optionKeepCount}:     {usual: 9, min: 1, max: 127, streams: true},
	{levelTCP, 12}:                  {usual: 1, streams: true},               // TCP_QUICKACK
	{levelTCP, 18}:                  {min: 0, max: 1<<31 - 1, streams: true}, // TCP_USER_TIMEOUT
	{levelIP, 1}:                    {min: 0, max: 255},                      // IP_TOS
	{levelIP, 2}:                    {usual: 64, min: 1, max: 255},           // IP_TTL
	{levelIPv6, 16}:                 {usual: 64, min: -1, max: 255},          // IPV6_UNICAST_HOPS
	{levelIPv6, optionV6Only}:       {},                                      // IPV6_V6ONLY
}

// options are those of a socket. The zero value has the usual ones.
type options struct {
	mu                      sync.Mutex
	set                     map[optionName]int32
	lingers                 bool
	lingerFor               time.Duration
	receiveLimit, sendLimit time.Duration
}

// boolean reports whether the option is a switch.
func (n number) boolean() bool { return n.min == 0 && n.max == 0 }

func (o *options) number(name optionName) int32 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if value, set := o.set[name]; set {
		return value
	}
	return numbers[name].usual
}

// setNumber sets an option that is a number.
func (o *options) setNumber(name optionName, value int32) errno {
	n := numbers[name]
	switch {
	case n.fixed:
		return wire.ENOPROTOOPT
	case n.boolean():
		value = map[bool]int32{true: 1}[value != 0]
	case n.buffer:
		value = 2 * max(min(value, n.max), n.min)
	case value < n.min || value > n.max:
		return wire.EINVAL
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.set == nil {
		o.set = make(map[optionName]int32)
	}
	o.set[name] = value
	return 0
}

// setOption implements setsockopt.
func setOption(s socket, level, option int32, value []byte) errno {
	of := s.basics()
	o := &of.options
	name := optionName{level, option}
	switch {
	case level == levelSocket && (option == optionRecvTimeout || option == optionRecvTimeout64):
		return o.setTimeout(&o.receiveLimit, value)
	case level == levelSocket && (option == optionSendTimeout || option == optionSendTimeout64):
		return o.setTimeout(&o.sendLimit, value)
	case level == levelSocket && option == optionLinger:
		return o.setLinger(value)
	}
	n, known := numbers[name]
	if !known || n.streams && of.kind != typeStream || level == levelTCP && of.family == calls.AFUnix {
		return wire.ENOPROTOOPT
	}
	if len(value) < 4 {
		return wire.EINVAL
	}
	if e := o.setNumber(name, int32(binary.LittleEndian.Uint32(value))); e != 0 {
		return e
	}
	s.changed()
	return 0
}

// getOption implements getsockopt. The value is cut to most bytes.
func getOption(s socket, level, option int32, most uint32) ([]byte, errno) {
	value, e := optionValue(s, level, option, most)
	return value[:min(len(value), int(min(most, 1<<16)))], e
}

func optionValue(s socket, level, option int32, most uint32) ([]byte, errno) {
	of := s.basics()
	o := &of.options
	if level == levelSocket {
		switch option {
		case optionType:
			return word(of.kind), 0
		case optionDomain:
			return word(of.family), 0
		case optionProtocol:
			return word(of.protocol), 0
		case optionError:
			return word(s.pending()), 0
		case optionAccepts:
			return word(map[bool]int32{true: 1}[s.listens()]), 0
		case optionLinger:
			on, limit := o.linger()
			return append(word(map[bool]int32{true: 1}[on]), word(int32(limit/time.Second))...), 0
		case optionRecvTimeout, optionRecvTimeout64:
			return timeval(o.receiveTimeout(), option == optionRecvTimeout && most < timeval64), 0
		case optionSendTimeout, optionSendTimeout64:
			return timeval(o.sendTimeout(), option == optionSendTimeout && most < timeval64), 0
		}
	}
	name := optionName{level, option}
	n, known := numbers[name]
	if !known || n.streams && of.kind != typeStream || level == levelTCP && of.family == calls.AFUnix {
		return nil, wire.ENOPROTOOPT
	}
	return word(o.number(name)), 0
}

func word(n int32) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }

// Sizes of a time with 32-bit and with 64-bit seconds. Emscripten 3 has the first.
const (
	timeval32 = 8
	timeval64 = 16
)

func timeval(d time.Duration, short bool) []byte {
	seconds, micro := int64(d/time.Second), int32(d%time.Second/time.Microsecond)
	if short {
		return append(word(int32(seconds)), word(micro)...)
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(seconds))
	return append(append(b, word(micro)...), 0, 0, 0, 0)
}

// maxTimeout is longer than any program lives.
const maxTimeout = 10 * 365 * 24 * time.Hour

func (o *options) setTimeout(to *time.Duration, value []byte) errno {
	var seconds int64
	var micro int32
	switch {
	case len(value) < timeval32:
		return wire.EINVAL
	case len(value) < timeval64:
		seconds, micro = int64(int32(binary.LittleEndian.Uint32(value))), int32(binary.LittleEndian.Uint32(value[4:]))
	default:
		seconds, micro = int64(binary.LittleEndian.Uint64(value)), int32(binary.LittleEndian.Uint32(value[8:]))
	}
	if micro < 0 || micro >= 1e6 {
		return wire.EDOM
	}
	limit := time.Duration(micro) * time.Microsecond
	switch {
	case seconds < 0:
		limit = 1 // no time at all, as Linux has it
	case seconds > int64(maxTimeout/time.Second):
		limit = maxTimeout
	default:
		limit += time.Duration(seconds) * time.Second
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	*to = limit
	return 0
}

func (o *options) setLinger(value []byte) errno {
	if len(value) < 8 {
		return wire.EINVAL
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lingers = binary.LittleEndian.Uint32(value) != 0
	o.lingerFor = time.Duration(binary.LittleEndian.Uint32(value[4:])) * time.Second
	return 0
}

func (o *options) linger() (on bool, limit time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lingers, o.lingerFor
}

func (o *options) receiveTimeout() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.receiveLimit
}

func (o *options) sendTimeout() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sendLimit
}

// inherit sets the options of an accepted socket, which has those of its listener.
func (o *options) inherit(to *options) {
	o.mu.Lock()
	defer o.mu.Unlock()
	to.set = maps.Clone(o.set)
	to.lingers, to.lingerFor = o.lingers, o.lingerFor
	to.receiveLimit, to.sendLimit = o.receiveLimit, o.sendLimit
}

// wire returns the options that are set at the connection to the target.
func (o *options) wire() (w wire.SocketOptions) {
	o.mu.Lock()
	defer o.mu.Unlock()
	turn := func(to *wire.Switch, name optionName) {
		if value, set := o.set[name]; set {
			*to = wire.SwitchOf(value != 0)
		}
	}
	turn(&w.NoDelay, optionName{levelTCP, optionNoDelay})
	turn(&w.KeepAlive, optionName{levelSocket, optionKeepAlive})
	w.KeepIdle = time.Duration(o.set[optionName{levelTCP, optionKeepIdle}]) * time.Second
	w.KeepInterval = time.Duration(o.set[optionName{levelTCP, optionKeepInterval}]) * time.Second
	w.KeepCount = uint32(o.set[optionName{levelTCP, optionKeepCount}])
	return w
}
