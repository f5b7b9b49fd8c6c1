package wire

import "strconv"

// Code says how a stream, a carrier or a session ended. Numbers are on the wire and are never
// reused. A new code is a constant here, a row of the table below and a row of docs/PROTOCOL.md,
// section 7.
type Code uint16

// The codes of docs/PROTOCOL.md, section 7.
const (
	OK Code = iota
	Refused
	HostUnreachable
	NetworkUnreachable
	TimedOut
	NameNotFound
	Denied
	Limit
	Reset
	Aborted
	Idle
	NameFailed
	AddressNotAvailable
	InvalidRequest
	UnsupportedKind
	UnsupportedOption
	UnsupportedVersion
	Protocol
	Unauthorized
	Expired
	Draining
	SessionLost
	UnknownSession
	Internal
	FakeAddress
	NotConnected
	AddressInUse

	codes // how many there are
)

// row is what one code means to the protocols around ours.
type row struct {
	name    string
	errno   int  // Emscripten's, which are WASI's
	socks5  byte // REP of RFC 1928, section 6
	wisp    byte // close reason of Wisp 1.2
	meaning string
}

var table = [codes]row{
	OK:                  {"ok", 0, 0, 0x02, "no error"},
	Refused:             {"refused", ECONNREFUSED, 5, 0x44, "the target refused the connection"},
	HostUnreachable:     {"host_unreachable", EHOSTUNREACH, 4, 0x42, "no route to the host"},
	NetworkUnreachable:  {"network_unreachable", ENETUNREACH, 3, 0x42, "no route to the network"},
	TimedOut:            {"timed_out", ETIMEDOUT, 4, 0x43, "the target did not answer in time"},
	NameNotFound:        {"name_not_found", EHOSTUNREACH, 4, 0x42, "the name does not resolve"},
	Denied:              {"denied", EACCES, 2, 0x48, "the policy forbids the target"},
	Limit:               {"limit", EMFILE, 1, 0x49, "a limit of the server is reached"},
	Reset:               {"reset", ECONNRESET, 1, 0x03, "the connection was reset"},
	Aborted:             {"aborted", ECONNABORTED, 1, 0x81, "this end gave the stream up"},
	Idle:                {"idle", ETIMEDOUT, 1, 0x47, "the stream was idle for too long"},
	NameFailed:          {"name_failed", EHOSTUNREACH, 4, 0x42, "the resolver failed"},
	AddressNotAvailable: {"address_not_available", EADDRNOTAVAIL, 4, 0x41, "the address cannot be used"},
	InvalidRequest:      {"invalid_request", EINVAL, 1, 0x41, "the request does not decode or its target is malformed"},
	UnsupportedKind:     {"unsupported_kind", ENOTSUP, 7, 0x41, "the kind of stream is not offered"},
	UnsupportedOption:   {"unsupported_option", EINVAL, 1, 0x41, "an option is not known"},
	UnsupportedVersion:  {"unsupported_version", EPROTO, 1, 0x41, "the version is not spoken"},
	Protocol:            {"protocol", EPROTO, 1, 0x41, "the peer broke the protocol"},
	Unauthorized:        {"unauthorized", EACCES, 2, 0xc0, "credentials are missing or wrong"},
	Expired:             {"expired", EACCES, 2, 0xc0, "credentials have expired or were revoked"},
	Draining:            {"draining", ECONNABORTED, 1, 0x03, "the server is going away"},
	SessionLost:         {"session_lost", ECONNABORTED, 1, 0x03, "the session could not be resumed"},
	UnknownSession:      {"unknown_session", ECONNABORTED, 1, 0x03, "the server does not know the session"},
	Internal:            {"internal", EIO, 1, 0x01, "the server failed"},
	FakeAddress:         {"fake_address", EHOSTUNREACH, 4, 0x41, "the target is an address of Emscripten's fake DNS"},
	NotConnected:        {"not_connected", ENETDOWN, 3, 0x03, "there is no connection to the server"},
	AddressInUse:        {"address_in_use", EADDRINUSE, 1, 0x41, "the address is in use"},
}

// Codes returns every code, in the order of their numbers.
func Codes() []Code {
	all := make([]Code, codes)
	for i := range all {
		all[i] = Code(i)
	}
	return all
}

// Known reports whether the code is in the table. What is not is treated as Internal.
func (c Code) Known() bool { return c < codes }

func (c Code) row() row {
	if !c.Known() {
		return table[Internal]
	}
	return table[c]
}

// String returns the code's name, which is also its metric label.
func (c Code) String() string {
	if !c.Known() {
		return "code " + strconv.Itoa(int(c))
	}
	return table[c].name
}

// Meaning returns the code in words.
func (c Code) Meaning() string { return c.row().meaning }

// Errno returns Emscripten's errno, 0 for OK.
func (c Code) Errno() int { return c.row().errno }

// CloseCode returns the WebSocket close code: 1000 for OK, else in 4001 to 4999 (RFC
// 6455, section 7.4.2: private use).
func (c Code) CloseCode() int {
	if c == OK {
		return CloseNormal
	}
	if !c.Known() {
		c = Internal
	}
	return closeCodes + int(c)
}

// SOCKS5 returns the reply of RFC 1928, section 6.
func (c Code) SOCKS5() byte { return c.row().socks5 }

// Wisp returns the close reason of the Wisp protocol.
func (c Code) Wisp() byte { return c.row().wisp }

// CodeOfClose is the inverse of CloseCode; what is none of ours gives Internal.
func CodeOfClose(closeCode int) Code {
	if closeCode == CloseNormal {
		return OK
	}
	if c := Code(closeCode - closeCodes); closeCode > closeCodes && c.Known() {
		return c
	}
	return Internal
}

// Error is a code with a text for people. Two errors are the same to errors.Is if their codes are.
type Error struct {
	Code Code
	Text string
}

// NewError returns an error whose text is the code's meaning where text is empty.
func NewError(code Code, text string) *Error { return &Error{Code: code, Text: text} }

// Error returns the code's name and the text.
func (e *Error) Error() string {
	text := e.Text
	if text == "" {
		text = e.Code.Meaning()
	}
	return e.Code.String() + ": " + text
}

// Is compares codes.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}
