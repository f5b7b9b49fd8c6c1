package wire

import (
	"encoding/binary"
	"time"

	"github.com/sockmux/sockmux/shared/decimal"
)

// Version is the version of the protocol that this package speaks.
const Version = 1

// magic begins every HELLO: what is not sockmux is told apart at the first message.
const magic = "smux"

// Capabilities are bits; both ends use those that both have set.
type Capabilities uint32

// The capabilities of version 1.
const (
	CanResume    Capabilities = 1 << 0
	CanUDP       Capabilities = 1 << 1
	CanWebSocket Capabilities = 1 << 2
	CanBare      Capabilities = 1 << 3 // the client takes bare messages
	// CanSocketOptions says that the option and the control message of socket options are known.
	CanSocketOptions Capabilities = 1 << 4
	CanResolve       Capabilities = 1 << 5 // resolve streams
	CanListen        Capabilities = 1 << 6 // listen and accept streams
	CanJoin          Capabilities = 1 << 7 // JOINED messages are known
	CanBindUDP       Capabilities = 1 << 8 // udp_bound streams
)

// Sizes of what a session is known by.
const (
	SessionIDSize = 16
	SecretSize    = 32
	MaxToken      = 8192 // a JWT with many claims has 2 KiB
	MaxAgent      = 128
)

// SessionID names a session.
type SessionID [SessionIDSize]byte

// Secret proves that a client owns a session. Compare in constant time.
type Secret [SecretSize]byte

// Resume asks for a session to go on over a new carrier.
type Resume struct {
	ID       SessionID
	Secret   Secret
	Received uint64 // bytes that the client has received
}

// Hello is the client's first message on every carrier.
type Hello struct {
	Version      uint16
	Capabilities Capabilities
	Token        string // empty: none
	Resume       *Resume
	Agent        string
}

// Session is what a new session is known by.
type Session struct {
	ID     SessionID
	Secret Secret
}

// Limits of the server that the client should know.
type Limits struct {
	Streams        uint32 // at once
	Unacknowledged uint32 // bytes that the server keeps
}

// Welcome answers a Hello.
type Welcome struct {
	Version      uint16
	Capabilities Capabilities
	Session      *Session      // of a new session; nil when one was resumed
	Resumed      *uint64       // bytes that the server has received; nil for a new session
	Grace        time.Duration // milliseconds on the wire
	Limits       Limits
	Agent        string
	PingAfter    time.Duration // of silence; milliseconds on the wire
	DeadAfter    time.Duration // of silence; milliseconds on the wire
}

// Option numbers.
const (
	helloToken  = 1
	helloResume = 2
	helloAgent  = 3

	welcomeSession   = 1
	welcomeResumed   = 2
	welcomeGrace     = 3
	welcomeLimits    = 4
	welcomeAgent     = 5
	welcomeKeepalive = 6
)

// Append appends the encoded message. Token and Agent are cut to their bounds.
func (m Hello) Append(to []byte) []byte {
	to = append(append(to, byte(TypeHello)), magic...)
	to = binary.BigEndian.AppendUint16(to, m.Version)
	to = binary.BigEndian.AppendUint32(to, uint32(m.Capabilities))
	if m.Token != "" {
		to = appendOption(to, helloToken, []byte(Cut(m.Token, MaxToken)))
	}
	if m.Resume != nil {
		v := append(append(make([]byte, 0, 56), m.Resume.ID[:]...), m.Resume.Secret[:]...)
		to = appendOption(to, helloResume, binary.BigEndian.AppendUint64(v, m.Resume.Received))
	}
	if m.Agent != "" {
		to = appendOption(to, helloAgent, []byte(Cut(m.Agent, MaxAgent)))
	}
	return to
}

func decodeHello(r *reader) (Message, error) {
	if string(r.bytes(len(magic))) != magic {
		return nil, NewError(Protocol, "hello does not begin with the magic of sockmux")
	}
	m := Hello{Version: r.u16(), Capabilities: Capabilities(r.u32())}
	if !r.ok {
		return nil, NewError(Protocol, "hello is too short")
	}
	// Later versions may have other options: the version is judged before them.
	if m.Version != Version {
		return nil, NewError(UnsupportedVersion, "version "+decimal.Of(m.Version)+" is not spoken here, only "+decimal.Of(Version))
	}
	err := eachOption(r, "hello", func(number uint16, v *reader) bool {
		switch number {
		case helloToken:
			m.Token = string(v.all())
			v.ok = m.Token != "" && len(m.Token) <= MaxToken
		case helloResume:
			m.Resume = &Resume{}
			copy(m.Resume.ID[:], v.bytes(SessionIDSize))
			copy(m.Resume.Secret[:], v.bytes(SecretSize))
			m.Resume.Received = v.u64()
		case helloAgent:
			m.Agent = string(v.all())
			v.ok = len(m.Agent) <= MaxAgent
		default:
			return false
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Append appends the encoded message.
func (m Welcome) Append(to []byte) []byte {
	to = append(to, byte(TypeWelcome))
	to = binary.BigEndian.AppendUint16(to, m.Version)
	to = binary.BigEndian.AppendUint32(to, uint32(m.Capabilities))
	if m.Session != nil {
		to = appendOption(to, welcomeSession, append(append(make([]byte, 0, 48), m.Session.ID[:]...), m.Session.Secret[:]...))
	}
	if m.Resumed != nil {
		to = appendOption(to, welcomeResumed, binary.BigEndian.AppendUint64(nil, *m.Resumed))
	}
	to = appendOption(to, welcomeGrace, appendMillis(nil, m.Grace))
	limits := binary.BigEndian.AppendUint32(nil, m.Limits.Streams)
	to = appendOption(to, welcomeLimits, binary.BigEndian.AppendUint32(limits, m.Limits.Unacknowledged))
	if m.Agent != "" {
		to = appendOption(to, welcomeAgent, []byte(Cut(m.Agent, MaxAgent)))
	}
	return appendOption(to, welcomeKeepalive, appendMillis(appendMillis(nil, m.PingAfter), m.DeadAfter))
}

func decodeWelcome(r *reader) (Message, error) {
	m := Welcome{Version: r.u16(), Capabilities: Capabilities(r.u32())}
	if !r.ok {
		return nil, NewError(Protocol, "welcome is too short")
	}
	if m.Version != Version {
		return nil, NewError(UnsupportedVersion, "version "+decimal.Of(m.Version)+" is not spoken here, only "+decimal.Of(Version))
	}
	err := eachOption(r, "welcome", func(number uint16, v *reader) bool {
		switch number {
		case welcomeSession:
			m.Session = &Session{}
			copy(m.Session.ID[:], v.bytes(SessionIDSize))
			copy(m.Session.Secret[:], v.bytes(SecretSize))
		case welcomeResumed:
			received := v.u64()
			m.Resumed = &received
		case welcomeGrace:
			m.Grace = v.millis()
		case welcomeLimits:
			m.Limits = Limits{Streams: v.u32(), Unacknowledged: v.u32()}
		case welcomeAgent:
			m.Agent = string(v.all())
			v.ok = len(m.Agent) <= MaxAgent
		case welcomeKeepalive:
			m.PingAfter, m.DeadAfter = v.millis(), v.millis()
		default:
			return false
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	if (m.Session == nil) == (m.Resumed == nil) {
		return nil, NewError(Protocol, "welcome must name either a new session or how far the resumed one got")
	}
	return m, nil
}

func (r *reader) millis() time.Duration { return time.Duration(r.u32()) * time.Millisecond }

func appendMillis(to []byte, d time.Duration) []byte {
	return binary.BigEndian.AppendUint32(to, clamp32(d.Milliseconds()))
}

func appendOption(to []byte, number uint16, value []byte) []byte {
	to = binary.BigEndian.AppendUint16(to, number)
	to = binary.BigEndian.AppendUint16(to, uint16(len(value)))
	return append(to, value...)
}

// eachOption reads options until the message ends. take says whether it knows the number;
// it reads all of the value.
func eachOption(r *reader, of string, take func(number uint16, value *reader) bool) error {
	var seen uint64
	for len(r.rest) > 0 {
		number := r.u16()
		value := read(r.bytes(int(r.u16())))
		if !r.ok {
			return NewError(Protocol, of+" ends inside an option")
		}
		if number < 64 {
			if seen&(1<<number) != 0 {
				return NewError(Protocol, of+" has option "+decimal.Of(number)+" twice")
			}
			seen |= 1 << number
		}
		if !take(number, value) {
			return NewError(UnsupportedOption, of+" has the unknown option "+decimal.Of(number))
		}
		if !value.end() {
			return NewError(Protocol, of+" has a malformed option "+decimal.Of(number))
		}
	}
	return nil
}
