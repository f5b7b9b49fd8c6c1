package calls

import "encoding/binary"

// ResultSize is the size of a result without data.
const ResultSize = 12

// Result encodes the result of a call with what its function returns beside.
func Result(id, returned, errno int32, extra []byte) []byte {
	return append(AppendResult(make([]byte, 0, ResultSize+len(extra)), id, returned, errno), extra...)
}

// AppendResult adds the result of a call, in front of what its function returns beside.
func AppendResult(b []byte, id, returned, errno int32) []byte {
	for _, word := range [...]int32{id, returned, errno} {
		b = binary.LittleEndian.AppendUint32(b, uint32(word))
	}
	return b
}

// Failure encodes the result -1 of a call. A client waits for ever for a result that is
// shorter than its function has, so the rest is zeros.
func Failure(id int32, function Function, errno int32) []byte {
	return Result(id, -1, errno, make([]byte, least(function)-ResultSize))
}

// LookupFailure encodes the result of a Getaddrinfo that has found nothing.
func LookupFailure(id, code, errno int32) []byte {
	return Result(id, code, errno, make([]byte, least(Getaddrinfo)-ResultSize))
}

// least returns the size of the shortest result that a client takes. That of an unknown
// function is long enough for all.
func least(function Function) int {
	switch function {
	case Socket, Shutdown, Bind, Connect, Listen, Send, Recv, Sendto, Recvfrom, Getsockopt, Setsockopt:
		return ResultSize
	case Accept, Getsockname, Getpeername:
		return ResultSize + 4
	case Socketpair:
		return ResultSize + 8
	default:
		return ResultSize + NodeSize + 4
	}
}

// Pair is what Socketpair returns beside.
func Pair(first, second int32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(first)), uint32(second))
}

// Named is what Accept, Getsockname and Getpeername return beside: the length that the
// address has, and as much of it as is wanted.
func Named(address []byte, want int) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(address)))
	return append(b, address[:min(len(address), want)]...)
}

// From is what Recvfrom returns beside: data, and where it is from. A client copies as many
// bytes of the address as the field in front says.
func From(data, address []byte, want int) []byte {
	address = address[:min(len(address), want)]
	b := make([]byte, 0, 8+len(data)+len(address))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(address)))
	return append(append(b, data...), address...)
}

// Entry is one address of Getaddrinfo.
type Entry struct {
	Flags, Family, Type, Protocol int32
	Address                       []byte
}

// Found is what a Getaddrinfo that has found something returns beside.
func Found(canonical string, entries []Entry) []byte {
	b := make([]byte, NodeSize, NodeSize+4+len(entries)*48)
	copy(b[:NodeSize-1], canonical)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(entries)))
	for _, e := range entries {
		for _, word := range [...]int32{e.Flags, e.Family, e.Type, e.Protocol, int32(len(e.Address))} {
			b = binary.LittleEndian.AppendUint32(b, uint32(word))
		}
		b = append(b, e.Address...)
	}
	return b
}
