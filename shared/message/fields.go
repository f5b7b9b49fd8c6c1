package message

import (
	"encoding/binary"
	"strings"
)

// Field is a header field of the handshake.
type Field struct{ Name, Value string }

// MaxFields is how many bytes the encoded fields of a handshake have at most.
const MaxFields = 8 << 10

// reserved are the names that a client may not give, in lower case: they are the
// handshake's own, or change where the request ends.
var reserved = map[string]bool{
	"connection": true, "content-length": true, "expect": true, "host": true, "keep-alive": true, "te": true,
	"trailer": true, "transfer-encoding": true, "upgrade": true,
}

// reservedPrefix is that of the handshake's other fields.
const reservedPrefix = "sec-websocket-"

// appendFields appends the fields with the length of all.
func appendFields(to []byte, fields []Field) []byte {
	start := len(to)
	to = append(to, 0, 0)
	for _, f := range fields {
		to = append(append(to, byte(len(f.Name))), f.Name...)
		to = append(binary.BigEndian.AppendUint16(to, uint16(len(f.Value))), f.Value...)
	}
	binary.BigEndian.PutUint16(to[start:], uint16(len(to)-start-2))
	return to
}

// decodeFields reads the fields at the start of b, and returns what is behind them.
func decodeFields(b []byte) (fields []Field, rest []byte, ok bool) {
	block, rest, ok := cut(b, 2)
	for ok && len(block) > 0 {
		var name, value []byte
		if name, block, ok = cut(block, 1); ok {
			value, block, ok = cut(block, 2)
		}
		fields = append(fields, Field{string(name), string(value)})
	}
	return fields, rest, ok
}

// cut splits b behind the bytes whose length stands in front, in one byte or two.
func cut(b []byte, size int) (whole, rest []byte, ok bool) {
	n := 0
	for i := range size {
		if i == len(b) {
			return nil, nil, false
		}
		n = n<<8 | int(b[i])
	}
	if n > len(b)-size {
		return nil, nil, false
	}
	return b[size : size+n], b[size+n:], true
}

// checkFields returns an error for fields that would be no fields, or not the client's to give.
func checkFields(fields []Field) error {
	size := 0
	for _, f := range fields {
		size += 3 + len(f.Name) + len(f.Value)
		name := strings.ToLower(f.Name)
		switch {
		case name == "" || len(name) > 255 || strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }):
			return invalid("a header field whose name is no token")
		case reserved[name] || strings.HasPrefix(name, reservedPrefix):
			return invalid("the header field " + name + " is the handshake's own")
		case strings.TrimSpace(f.Value) != f.Value:
			return invalid("the header field " + name + " has space around its value")
		}
		for _, c := range []byte(f.Value) {
			if c < ' ' && c != '\t' || c == 0x7f {
				return invalid("the value of the header field " + name + " has a control character")
			}
		}
	}
	if size > MaxFields {
		return invalid("the header fields are too long")
	}
	return nil
}
