package wire

import (
	"encoding/binary"
	"time"

	"github.com/sockmux/sockmux/shared/decimal"
)

// Numbers of control messages (docs/PROTOCOL.md, section 6).
const (
	controlReset     = 1
	controlResetDone = 2
	controlStop      = 3
	controlDrain     = 4
	controlNotice    = 5
	controlSocket    = 6
)

// MaxControl bounds a control message without its length.
const MaxControl = 1024

// ControlMessage is any message on the control stream: StreamReset, StreamResetDone,
// StreamStop, Drain, Notice or StreamSocket.
type ControlMessage interface {
	// Append appends the encoded message with its length.
	Append(to []byte) []byte
}

// StreamReset tells that the sender ended its direction of a stream abnormally after Size
// bytes and reads no more of the other.
type StreamReset struct {
	ID   uint32
	Code Code
	Size uint64
	Text string
}

// StreamResetDone answers StreamReset.
type StreamResetDone struct{ ID uint32 }

// StreamStop tells that the sender will read no more of a stream.
type StreamStop struct {
	ID   uint32
	Code Code
}

// StreamSocket sets options of the connection that a stream stands for.
type StreamSocket struct {
	ID      uint32
	Options SocketOptions
}

// Drain tells that the server goes away in that time.
type Drain struct {
	In   time.Duration // milliseconds on the wire
	Text string
}

// Level of a Notice.
type Level uint8

// The levels.
const (
	Info    Level = 0
	Warning Level = 1
	Failure Level = 2
)

// Notice is for people.
type Notice struct {
	Level Level
	Code  Code
	Text  string
}

// Append appends the encoded message with its length.
func (m StreamReset) Append(to []byte) []byte {
	body := binary.BigEndian.AppendUint32([]byte{controlReset}, m.ID)
	body = binary.BigEndian.AppendUint16(body, uint16(m.Code))
	body = binary.BigEndian.AppendUint64(body, m.Size)
	return appendControl(to, append(body, Cut(m.Text, MaxText)...))
}

// Append appends the encoded message with its length.
func (m StreamResetDone) Append(to []byte) []byte {
	return appendControl(to, binary.BigEndian.AppendUint32([]byte{controlResetDone}, m.ID))
}

// Append appends the encoded message with its length.
func (m StreamStop) Append(to []byte) []byte {
	body := binary.BigEndian.AppendUint32([]byte{controlStop}, m.ID)
	return appendControl(to, binary.BigEndian.AppendUint16(body, uint16(m.Code)))
}

// Append appends the encoded message with its length.
func (m Drain) Append(to []byte) []byte {
	return appendControl(to, append(appendMillis([]byte{controlDrain}, m.In), Cut(m.Text, MaxText)...))
}

// Append appends the encoded message with its length.
func (m Notice) Append(to []byte) []byte {
	body := binary.BigEndian.AppendUint16([]byte{controlNotice, byte(m.Level)}, uint16(m.Code))
	return appendControl(to, append(body, Cut(m.Text, MaxText)...))
}

// Append appends the encoded message with its length.
func (m StreamSocket) Append(to []byte) []byte {
	return appendControl(to, m.Options.Append(binary.BigEndian.AppendUint32([]byte{controlSocket}, m.ID)))
}

func appendControl(to, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(body))), body...)
}

// DecodeControl reads a control message without its length. An unknown type gives nil and
// no error: it is to be ignored.
func DecodeControl(body []byte) (ControlMessage, error) {
	r := read(body)
	var m ControlMessage
	kind := r.u8()
	switch kind {
	case controlReset:
		m = StreamReset{ID: r.u32(), Code: Code(r.u16()), Size: r.u64(), Text: r.text()}
	case controlResetDone:
		m = StreamResetDone{ID: r.u32()}
	case controlStop:
		m = StreamStop{ID: r.u32(), Code: Code(r.u16())}
	case controlDrain:
		m = Drain{In: r.millis(), Text: r.text()}
	case controlNotice:
		m = Notice{Level: Level(r.u8()), Code: Code(r.u16()), Text: r.text()}
	case controlSocket:
		of := StreamSocket{ID: r.u32()}
		of.Options, r.ok = decodeSocketOptions(r)
		m = of
	default:
		if r.ok {
			return nil, nil
		}
	}
	if !r.end() {
		return nil, NewError(Protocol, "malformed control message of type "+decimal.Of(kind)+" and "+decimal.Of(len(body))+" bytes")
	}
	return m, nil
}
