package wire

import (
	"encoding/binary"
	"time"

	"github.com/sockmux/sockmux/shared/decimal"
)

// Type is the first byte of a link message.
type Type uint8

// The types of link messages (docs/PROTOCOL.md, section 3).
const (
	TypeHello   Type = 1
	TypeWelcome Type = 2
	TypeData    Type = 3
	TypeAck     Type = 4
	TypePing    Type = 5
	TypePong    Type = 6
	TypeClose   Type = 7
	TypeFore    Type = 8 // DATA before a bare message
	TypeJoined  Type = 9 // ACK, and behind it a whole DATA or FORE
)

// Limits of link messages.
const (
	MaxMessage   = 1 << 20   // of a carrier; browsers and proxies take this much without trouble
	DataHeader   = 1 + 8     // bytes before the payload of DATA
	AckSize      = 1 + 8 + 4 // bytes of ACK, and of what JOINED has before DATA
	MaxCloseText = 1024      // keeps a hostile text out of logs and consoles
)

// Message is any link message but a bare one: Hello, Welcome, Data, Ack, Ping, Pong or Close.
type Message interface {
	// Append appends the encoded message.
	Append(to []byte) []byte
}

// Data carries bytes of the session. Payload aliases the decoded message.
type Data struct {
	Offset  uint64
	Payload []byte
	Fore    bool // the next message of the carrier is bare: it has no type and is nothing but the bytes that follow
	Ack     *Ack // before it in the same message, which is a JOINED then; nil: there is none
}

// Ack tells how many bytes have been received in order, and how long that was not told.
type Ack struct {
	Received uint64
	Delay    time.Duration // microseconds on the wire, at most about 71 minutes
}

// Ping asks for a Pong with the same number.
type Ping struct{ Opaque uint64 }

// Pong answers a Ping.
type Pong struct{ Opaque uint64 }

// Close ends the session.
type Close struct {
	Code Code
	Text string // cut to MaxCloseText bytes when encoded
}

// AppendDataHeader appends what stands before the payload of DATA.
func AppendDataHeader(to []byte, offset uint64) []byte {
	return binary.BigEndian.AppendUint64(append(to, byte(TypeData)), offset)
}

// Append appends the encoded message.
func (m Data) Append(to []byte) []byte {
	if m.Ack != nil {
		to = AppendJoined(to, *m.Ack)
	}
	at := len(to)
	to = append(AppendDataHeader(to, m.Offset), m.Payload...)
	if m.Fore {
		to[at] = byte(TypeFore)
	}
	return to
}

// Append appends the encoded message.
func (m Ack) Append(to []byte) []byte { return m.append(to, TypeAck) }

// AppendJoined appends what a JOINED has before its DATA.
func AppendJoined(to []byte, m Ack) []byte { return m.append(to, TypeJoined) }

func (m Ack) append(to []byte, t Type) []byte {
	to = binary.BigEndian.AppendUint64(append(to, byte(t)), m.Received)
	return binary.BigEndian.AppendUint32(to, clamp32(m.Delay.Microseconds()))
}

// Append appends the encoded message.
func (m Ping) Append(to []byte) []byte {
	return binary.BigEndian.AppendUint64(append(to, byte(TypePing)), m.Opaque)
}

// Append appends the encoded message.
func (m Pong) Append(to []byte) []byte {
	return binary.BigEndian.AppendUint64(append(to, byte(TypePong)), m.Opaque)
}

// Append appends the encoded message.
func (m Close) Append(to []byte) []byte {
	to = binary.BigEndian.AppendUint16(append(to, byte(TypeClose)), uint16(m.Code))
	return append(to, Cut(m.Text, MaxCloseText)...)
}

func decodeAck(r *reader) Ack {
	return Ack{Received: r.u64(), Delay: time.Duration(r.u32()) * time.Microsecond}
}

// decodeJoined reads a JOINED. Nothing but DATA and FORE may stand behind the ACK.
func decodeJoined(message []byte) (Message, error) {
	if len(message) <= AckSize+DataHeader {
		return nil, NewError(Protocol, "joined message of "+decimal.Of(len(message))+" bytes")
	}
	behind := message[AckSize:]
	if t := Type(behind[0]); t != TypeData && t != TypeFore {
		return nil, NewError(Protocol, "joined message with one of type "+decimal.Of(t)+" in it")
	}
	ack := decodeAck(read(message[1:AckSize]))
	m, err := Decode(behind)
	if err != nil {
		return nil, err
	}
	data := m.(Data)
	data.Ack = &ack
	return data, nil
}

// clamp32 keeps a number in 32 bits.
func clamp32(n int64) uint32 { return uint32(min(max(n, 0), 1<<32-1)) }

// Decode reads one link message. Its error is an *Error.
func Decode(message []byte) (Message, error) {
	if len(message) == 0 {
		return nil, NewError(Protocol, "empty message")
	}
	r := read(message[1:])
	var m Message
	switch t := Type(message[0]); t {
	case TypeHello:
		return decodeHello(r)
	case TypeWelcome:
		return decodeWelcome(r)
	case TypeData, TypeFore:
		m = Data{Offset: r.u64(), Payload: r.all(), Fore: t == TypeFore}
		r.ok = r.ok && len(message) > DataHeader
	case TypeAck:
		m = decodeAck(r)
	case TypeJoined:
		return decodeJoined(message)
	case TypePing:
		m = Ping{Opaque: r.u64()}
	case TypePong:
		m = Pong{Opaque: r.u64()}
	case TypeClose:
		m = Close{Code: Code(r.u16()), Text: string(r.all())}
		r.ok = r.ok && len(message) <= 1+2+MaxCloseText
	default:
		return nil, NewError(Protocol, "message of unknown type "+decimal.Of(t))
	}
	if !r.end() {
		return nil, NewError(Protocol, "message of type "+decimal.Of(message[0])+": wrong length "+decimal.Of(len(message)))
	}
	return m, nil
}
