package wire

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"github.com/sockmux/sockmux/shared/decimal"
)

// Host forms and address forms.
const (
	formNone = 0
	formName = 1
	form4    = 4
	form6    = 6
)

// Limits of requests and results.
const (
	MaxName    = 253  // RFC 1035, section 2.3.4, as text
	MaxRequest = 1024 // longer than any that decodes
	MaxResult  = 1024
	MaxText    = 512
)

// Request option numbers.
const (
	requestTimeout = 1
	requestFamily  = 2
	requestSocket  = 3
)

// Request is the first message on a stream. One of kind UDP without a host is for a socket that is
// not connected, and Port is its own then.
type Request struct {
	Kind    Kind
	Host    Host
	Port    uint16
	Timeout time.Duration // for resolving and dialing together; milliseconds on the wire; 0: the server's own
	Family  uint8         // 4 or 6: only addresses of that family; 0: both
	Socket  SocketOptions // of the target's socket; sent only to an end that has CanSocketOptions
}

// Target returns host and port as people write them, without a port or a host if the kind has none.
func (q Request) Target() string {
	row, ok := q.Kind.row()
	switch {
	case ok && !row.port:
		return q.Host.String()
	case ok && row.anyHost && q.Host.IsZero():
		return "*:" + decimal.Of(q.Port)
	case ok && !row.host:
		return "#" + decimal.Of(q.Port)
	}
	return q.Host.At(q.Port)
}

// Append appends the request with its length. It fails for a host that has no form on the wire.
func (q Request) Append(to []byte) ([]byte, error) {
	start := len(to)
	to = append(to, 0, 0, byte(q.Kind))
	to, err := q.Host.append(to)
	if err != nil {
		return to[:start], err
	}
	to = binary.BigEndian.AppendUint16(to, q.Port)
	if q.Timeout > 0 {
		to = append(to, requestTimeout, 0, 4)
		to = appendMillis(to, max(q.Timeout, time.Millisecond))
	}
	if q.Family != 0 {
		to = append(to, requestFamily, 0, 1, q.Family)
	}
	if q.Socket != (SocketOptions{}) {
		value := q.Socket.Append(nil)
		to = append(append(to, requestSocket, 0, byte(len(value))), value...)
	}
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to, nil
}

// DecodeRequest reads a request without its length. Its error is an *Error with the code
// for the result.
func DecodeRequest(body []byte) (Request, error) {
	r := read(body)
	q := Request{Kind: Kind(r.u8())}
	host, malformed := r.host()
	q.Port = r.u16()
	if !r.ok {
		return Request{}, NewError(InvalidRequest, "request is too short")
	}
	has, known := q.Kind.row()
	if !known {
		return q, NewError(UnsupportedKind, q.Kind.String()+" is not known")
	}
	if malformed != nil {
		return q, malformed
	}
	q.Host = host
	if has.host == q.Host.IsZero() && !has.anyHost || !has.port && q.Port != 0 || !has.host && has.port && q.Port == 0 {
		return q, NewError(InvalidRequest, "target "+strconv.Quote(q.Host.String())+" port "+decimal.Of(q.Port)+" of a "+q.Kind.String()+" stream")
	}
	for len(r.rest) > 0 {
		number := r.u8()
		v := read(r.bytes(int(r.u16())))
		if !r.ok {
			return q, NewError(InvalidRequest, "request ends inside an option")
		}
		switch number {
		case requestTimeout:
			q.Timeout = v.millis()
			v.ok = v.ok && q.Timeout > 0
		case requestFamily:
			q.Family = v.u8()
			v.ok = v.ok && (q.Family == 4 || q.Family == 6)
		case requestSocket:
			q.Socket, v.ok = decodeSocketOptions(v)
		default:
			return q, NewError(UnsupportedOption, "request has the unknown option "+decimal.Of(number))
		}
		if !v.end() {
			return q, NewError(InvalidRequest, "request has a malformed option "+decimal.Of(number))
		}
	}
	return q, nil
}

// Result answers a request.
type Result struct {
	Code   Code
	Bound  netip.AddrPort // the server's own end; zero where there is none
	Remote netip.AddrPort // the address that was dialed; zero where none was
	Text   string         // cut to MaxText bytes when encoded
}

// Err returns nil for OK, else an *Error.
func (s Result) Err() error {
	if s.Code == OK {
		return nil
	}
	return NewError(s.Code, s.Text)
}

// Append appends the result with its length.
func (s Result) Append(to []byte) []byte {
	start := len(to)
	to = binary.BigEndian.AppendUint16(append(to, 0, 0), uint16(s.Code))
	to = AppendAddrPort(AppendAddrPort(to, s.Bound), s.Remote)
	to = append(to, Cut(s.Text, MaxText)...)
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to
}

// DecodeResult reads a result without its length. Its error is an *Error.
func DecodeResult(body []byte) (Result, error) {
	r := read(body)
	s := Result{Code: Code(r.u16()), Bound: r.addr(), Remote: r.addr(), Text: r.text()}
	if !r.ok {
		return Result{}, NewError(Protocol, "malformed result of "+decimal.Of(len(body))+" bytes")
	}
	return s, nil
}

// AppendAddrPort appends an address with its form, and its port, as results have them.
func AppendAddrPort(to []byte, a netip.AddrPort) []byte {
	switch {
	case !a.IsValid():
		to = append(to, formNone)
	case a.Addr().Is4():
		to = append(append(to, form4), a.Addr().AsSlice()...)
	default:
		to = append(append(to, form6), a.Addr().AsSlice()...)
	}
	return binary.BigEndian.AppendUint16(to, a.Port())
}

// DecodeAddrPort reads what AppendAddrPort has written, and returns what is behind it. ok is false
// for what is malformed.
func DecodeAddrPort(b []byte) (a netip.AddrPort, rest []byte, ok bool) {
	r := read(b)
	a = r.addr()
	return a, r.rest, r.ok
}

func (r *reader) addr() netip.AddrPort {
	var host []byte
	switch r.u8() {
	case formNone:
	case form4:
		host = r.bytes(4)
	case form6:
		host = r.bytes(16)
	default:
		r.ok = false
	}
	port := r.u16()
	addr, ok := netip.AddrFromSlice(host)
	if !ok {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr, port)
}
