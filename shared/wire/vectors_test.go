package wire

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew from the messages below")

const vectorsFile = "testdata/vectors.json"

// vectors is the form of the file; every implementation of the protocol can read it.
type vectors struct {
	Note    string       `json:"note"`
	Codes   []codeVector `json:"codes"`
	Valid   []valid      `json:"valid"`
	Invalid []invalid    `json:"invalid"`
}

type codeVector struct {
	Code   int    `json:"code"`
	Name   string `json:"name"`
	Errno  int    `json:"errno"`
	Close  int    `json:"close"`
	SOCKS5 int    `json:"socks5"`
	Wisp   int    `json:"wisp"`
}

// valid is a message of a layer ("link", "request", "result", "control"; without the
// length in front) beside its fields.
type valid struct {
	Layer  string         `json:"layer"`
	Hex    string         `json:"hex"`
	Fields map[string]any `json:"fields"`
}

type invalid struct {
	Layer string `json:"layer"`
	Hex   string `json:"hex"`
	Code  string `json:"code"`
	Why   string `json:"why"`
}

func samples() map[string][]any {
	resumed := uint64(1<<40 + 7)
	session := &Session{ID: SessionID{1, 2, 15: 16}, Secret: Secret{0xa0, 31: 0xff}}
	return map[string][]any{
		"link": {
			Hello{Version: 1, Capabilities: CanResume},
			Hello{Version: 1, Capabilities: CanResume | CanUDP | CanWebSocket | CanBare, Token: "secret-token", Agent: "sockmux/1.0 ü"},
			Hello{Version: 1, Capabilities: CanResume, Resume: &Resume{ID: session.ID, Secret: session.Secret, Received: 65536}},
			Welcome{Version: 1, Capabilities: CanResume, Session: session, Grace: 2 * time.Minute, Limits: Limits{1024, 4 << 20}, Agent: "sockmux/1.0", PingAfter: 10 * time.Second, DeadAfter: 20 * time.Second},
			Welcome{Version: 1, Resumed: &resumed, PingAfter: time.Second, DeadAfter: 3 * time.Second},
			Data{Offset: 0, Payload: []byte("x")},
			Data{Offset: 1 << 33, Payload: []byte{0, 1, 2, 255}},
			Data{Offset: 7, Payload: []byte("before"), Fore: true},
			Data{Offset: 7, Payload: []byte("x"), Ack: &Ack{Received: 1<<40 + 1, Delay: 3 * time.Millisecond}},
			Data{Offset: 1 << 33, Payload: []byte("head"), Fore: true, Ack: &Ack{Received: 9}},
			Ack{Received: 1<<53 + 1, Delay: 10 * time.Millisecond},
			Ping{Opaque: 0x0102030405060708},
			Pong{Opaque: 1<<64 - 1},
			Close{Code: Draining, Text: "the server goes away"},
			Close{Code: OK},
		},
		"request": {
			Request{Kind: TCP, Host: ParseHost("example.org"), Port: 443},
			Request{Kind: TCP, Host: ParseHost("192.0.2.1"), Port: 1, Timeout: 1500 * time.Millisecond, Family: 4},
			Request{Kind: UDP, Host: ParseHost("2001:db8::1"), Port: 65535, Family: 6},
			Request{Kind: UDP},
			Request{Kind: WebSocket, Host: ParseHost("name with space"), Port: 80},
			Request{Kind: TCP, Host: ParseHost("192.0.2.1"), Port: 1, Socket: SocketOptions{NoDelay: Off}},
			Request{Kind: TCP, Host: ParseHost("a"), Port: 1, Socket: SocketOptions{NoDelay: On, KeepAlive: On, KeepIdle: time.Minute, KeepInterval: 5 * time.Second, KeepCount: 3}},
			Request{Kind: Resolve, Host: ParseHost("example.org")},
			Request{Kind: Resolve, Host: ParseHost("example.org"), Timeout: time.Second, Family: 6},
			Request{Kind: Listen, Host: ParseHost("0.0.0.0"), Port: 8080},
			Request{Kind: Listen, Host: ParseHost("::"), Family: 6},
			Request{Kind: Accept, Port: 7},
			Request{Kind: UDPBound, Host: ParseHost("127.0.0.1"), Port: 5353},
			Request{Kind: Control},
		},
		"result": {
			Result{Code: OK, Bound: netip.MustParseAddrPort("192.0.2.7:40000"), Remote: netip.MustParseAddrPort("[2001:db8::2]:443")},
			Result{Code: Denied, Remote: netip.MustParseAddrPort("127.0.0.1:22"), Text: "loopback"},
			Result{Code: NameNotFound},
		},
		"addresses": {
			Addresses{TTL: time.Minute, Addrs: []netip.Addr{netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("192.0.2.7")}},
			Addresses{},
			Addresses{TTL: time.Hour, Names: []string{"host.example.org", "www.example.org"}},
		},
		"control": {
			StreamReset{ID: 3, Code: Reset, Size: 1 << 35, Text: "by the target"},
			StreamResetDone{ID: 3},
			StreamStop{ID: 5, Code: Aborted},
			Drain{In: 30 * time.Second, Text: "new version"},
			Notice{Level: Warning, Code: Limit, Text: "near the limit"},
			StreamSocket{ID: 7, Options: SocketOptions{KeepAlive: Off}},
			StreamSocket{ID: 9, Options: SocketOptions{NoDelay: On, KeepIdle: 2 * time.Hour, KeepCount: 9}},
		},
	}
}

func invalids() []invalid {
	return []invalid{
		{"link", "", "protocol", "empty"},
		{"link", "00", "protocol", "unknown type"},
		{"link", "0a", "protocol", "unknown type"},
		{"link", "01736d7578", "protocol", "hello without version"},
		{"link", "01534d555800010000000001", "protocol", "wrong magic"},
		{"link", "01736d7578000200000001", "unsupported_version", "version 2"},
		{"link", "01736d75780001000000010009000101", "unsupported_option", "unknown hello option 9"},
		{"link", "01736d757800010000000100010000", "protocol", "empty token"},
		{"link", "01736d7578000100000001000300016100030001" + "62", "protocol", "option twice"},
		{"link", "01736d757800010000000100030005" + "61", "protocol", "ends inside an option"},
		{"link", "01736d7578000100000001000200020000", "protocol", "resume too short"},
		{"link", "02000100000001", "protocol", "welcome with neither session nor resumed"},
		{"link", "0200020000000100020008" + strings.Repeat("00", 8), "unsupported_version", "welcome of version 2"},
		{"link", "030000000000000000", "protocol", "data without payload"},
		{"link", "0300", "protocol", "data without offset"},
		{"link", "080000000000000000", "protocol", "data before a bare message without payload"},
		{"link", "09", "protocol", "joined without an ack"},
		{"link", "09" + strings.Repeat("00", 12), "protocol", "joined with nothing behind the ack"},
		{"link", "09" + strings.Repeat("00", 12) + "030000000000000000", "protocol", "joined with data without payload"},
		{"link", "09" + strings.Repeat("00", 12) + "04" + strings.Repeat("00", 12), "protocol", "joined with a second ack"},
		{"link", "09" + strings.Repeat("00", 12) + "09" + strings.Repeat("00", 12) + "03000000000000000061", "protocol", "joined in a joined"},
		{"link", "04000000000000000000", "protocol", "ack too short"},
		{"link", "0400000000000000000000000000", "protocol", "ack too long"},
		{"link", "0500", "protocol", "ping too short"},
		{"link", "0700", "protocol", "close too short"},
		{"link", "070000" + strings.Repeat("61", MaxCloseText+1), "protocol", "close text too long"},
		{"request", "", "invalid_request", "empty"},
		{"request", "01", "invalid_request", "too short"},
		{"request", "0901016100" + "50", "unsupported_kind", "kind 9"},
		{"request", "0101000050", "invalid_request", "empty name"},
		{"request", "01040301020300" + "50", "invalid_request", "IPv4 of 3 bytes"},
		{"request", "010702616200" + "50", "invalid_request", "host form 7"},
		{"request", "0100000050", "invalid_request", "tcp without a host"},
		{"request", "ff010161" + "0000", "invalid_request", "control with a host"},
		{"request", "01010161" + "0050" + "09000100", "unsupported_option", "option 9"},
		{"request", "01010161" + "0050" + "01000400000000", "invalid_request", "timeout of 0"},
		{"request", "01010161" + "0050" + "02000105", "invalid_request", "family 5"},
		{"request", "01010161" + "0050" + "0100", "invalid_request", "ends inside an option"},
		{"request", "01010161" + "0050" + "03000401000000", "invalid_request", "socket option cut short"},
		{"request", "040101610050", "invalid_request", "resolve with a port"},
		{"request", "0400000000", "invalid_request", "resolve without a host"},
		{"request", "0500000050", "invalid_request", "listen without a host"},
		{"request", "0600000000", "invalid_request", "accept of the connection 0"},
		{"request", "060101610007", "invalid_request", "accept with a host"},
		{"result", "00", "protocol", "too short"},
		{"result", "0000" + "05" + "0000", "protocol", "address form 5"},
		{"control", "", "protocol", "empty"},
		{"control", "0100000003", "protocol", "reset too short"},
		{"control", "020000000300", "protocol", "reset-done too long"},
		{"control", "060000000301", "protocol", "socket option cut short"},
		{"addresses", "000000", "protocol", "too short"},
		{"addresses", "0000003c" + "04c00002", "protocol", "ends inside an address"},
		{"addresses", "0000003c" + "05", "protocol", "address form 5"},
		{"addresses", "0000003c" + "00", "protocol", "address form 0"},
		{"addresses", "0000003c" + strings.Repeat("04c0000201", MaxAddresses+1), "protocol", "too many addresses"},
		{"addresses", "0000003c" + "0100", "protocol", "empty name"},
		{"addresses", "0000003c" + "010461", "protocol", "ends inside a name"},
		{"addresses", "0000003c" + "01fe" + strings.Repeat("61", MaxName+1), "protocol", "name of 254 bytes"},
		{"addresses", "0000003c" + strings.Repeat("010161", MaxNames+1), "protocol", "too many names"},
	}
}

// decode reads a message of a layer without the length in front.
func decode(layer string, b []byte) (any, error) {
	switch layer {
	case "link":
		return Decode(b)
	case "request":
		return DecodeRequest(b)
	case "result":
		return DecodeResult(b)
	case "addresses":
		return DecodeAddresses(b)
	}
	return DecodeControl(b)
}

// encode is the inverse of decode.
func encode(t testing.TB, m any) []byte {
	t.Helper()
	switch m := m.(type) {
	case Request:
		b, err := m.Append(nil)
		if err != nil {
			t.Fatalf("encode %+v: %v", m, err)
		}
		return b[2:]
	case Result:
		return m.Append(nil)[2:]
	case Addresses:
		return m.Append(nil)[2:]
	case StreamReset, StreamResetDone, StreamStop, Drain, Notice, StreamSocket:
		return m.(ControlMessage).Append(nil)[2:]
	}
	return m.(Message).Append(nil)
}

// fields turns a message into what JSON can hold: numbers of 64 bits and bytes as text.
func fields(m any) map[string]any {
	out := map[string]any{}
	switch m := m.(type) {
	case Hello:
		out = map[string]any{"type": "hello", "version": m.Version, "capabilities": m.Capabilities}
		if m.Token != "" {
			out["token"] = m.Token
		}
		if m.Agent != "" {
			out["agent"] = m.Agent
		}
		if m.Resume != nil {
			out["resume"] = map[string]any{"id": hex.EncodeToString(m.Resume.ID[:]), "secret": hex.EncodeToString(m.Resume.Secret[:]), "received": digits(m.Resume.Received)}
		}
	case Welcome:
		out = map[string]any{
			"type": "welcome", "version": m.Version, "capabilities": m.Capabilities, "grace": m.Grace.Milliseconds(), "streams": m.Limits.Streams,
			"unacknowledged": m.Limits.Unacknowledged, "pingAfter": m.PingAfter.Milliseconds(), "deadAfter": m.DeadAfter.Milliseconds(),
		}
		if m.Agent != "" {
			out["agent"] = m.Agent
		}
		if m.Session != nil {
			out["session"] = map[string]any{"id": hex.EncodeToString(m.Session.ID[:]), "secret": hex.EncodeToString(m.Session.Secret[:])}
		}
		if m.Resumed != nil {
			out["resumed"] = digits(*m.Resumed)
		}
	case Data:
		out = map[string]any{"type": map[bool]string{false: "data", true: "fore"}[m.Fore], "offset": digits(m.Offset), "payload": hex.EncodeToString(m.Payload)}
		if m.Ack != nil {
			out["ack"] = map[string]any{"received": digits(m.Ack.Received), "delay": m.Ack.Delay.Microseconds()}
		}
	case Ack:
		out = map[string]any{"type": "ack", "received": digits(m.Received), "delay": m.Delay.Microseconds()}
	case Ping:
		out = map[string]any{"type": "ping", "opaque": digits(m.Opaque)}
	case Pong:
		out = map[string]any{"type": "pong", "opaque": digits(m.Opaque)}
	case Close:
		out = map[string]any{"type": "close", "code": m.Code, "text": m.Text}
	case Request:
		out = map[string]any{"kind": m.Kind.String(), "host": m.Host, "port": m.Port, "timeout": m.Timeout.Milliseconds(), "family": m.Family}
		if m.Socket != (SocketOptions{}) {
			out["socket"] = socketFields(m.Socket)
		}
	case Result:
		out = map[string]any{"code": m.Code, "bound": addrText(m.Bound), "remote": addrText(m.Remote), "text": m.Text}
	case Addresses:
		addresses := []string{}
		for _, a := range m.Addrs {
			addresses = append(addresses, a.String())
		}
		out = map[string]any{"ttl": m.TTL / time.Second, "addresses": addresses, "names": append([]string{}, m.Names...)}
	case StreamSocket:
		out = map[string]any{"type": "socket", "id": m.ID, "socket": socketFields(m.Options)}
	case StreamReset:
		out = map[string]any{"type": "reset", "id": m.ID, "code": m.Code, "size": digits(m.Size), "text": m.Text}
	case StreamResetDone:
		out = map[string]any{"type": "reset-done", "id": m.ID}
	case StreamStop:
		out = map[string]any{"type": "stop", "id": m.ID, "code": m.Code}
	case Drain:
		out = map[string]any{"type": "drain", "in": m.In.Milliseconds(), "text": m.Text}
	case Notice:
		out = map[string]any{"type": "notice", "level": m.Level, "code": m.Code, "text": m.Text}
	}
	return out
}

// socketFields are the options that are set, times in seconds.
func socketFields(o SocketOptions) map[string]any {
	out := map[string]any{}
	if o.NoDelay != Unset {
		out["noDelay"] = o.NoDelay == On
	}
	if o.KeepAlive != Unset {
		out["keepAlive"] = o.KeepAlive == On
	}
	if o.KeepIdle != 0 {
		out["keepIdle"] = o.KeepIdle / time.Second
	}
	if o.KeepInterval != 0 {
		out["keepInterval"] = o.KeepInterval / time.Second
	}
	if o.KeepCount != 0 {
		out["keepCount"] = o.KeepCount
	}
	return out
}

func digits(n uint64) string { return json.Number(jsonUint(n)).String() }

func jsonUint(n uint64) string {
	b, _ := json.Marshal(n)
	return string(b)
}

func addrText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func build(t *testing.T) vectors {
	v := vectors{Note: "Messages of docs/PROTOCOL.md as hex beside their fields. Numbers of 64 bits are decimal texts, durations have the unit of the wire."}
	for _, c := range Codes() {
		v.Codes = append(v.Codes, codeVector{int(c), c.String(), c.Errno(), c.CloseCode(), int(c.SOCKS5()), int(c.Wisp())})
	}
	all := samples()
	for _, layer := range []string{"link", "request", "result", "addresses", "control"} {
		for _, m := range all[layer] {
			v.Valid = append(v.Valid, valid{layer, hex.EncodeToString(encode(t, m)), fields(m)})
		}
	}
	v.Invalid = invalids()
	return v
}

func TestVectors(t *testing.T) {
	want, err := json.MarshalIndent(build(t), "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(vectorsFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Fatalf("%s is not what the package encodes: the wire format changed, or run go test ./shared/wire -update", vectorsFile)
	}
	for layer, messages := range samples() {
		for _, m := range messages {
			got, err := decode(layer, encode(t, m))
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Errorf("%s: decoded %+v, %v, want %+v", layer, got, err, m)
			}
		}
	}
	for _, bad := range invalids() {
		b, err := hex.DecodeString(bad.Hex)
		if err != nil {
			t.Fatalf("%s: %v", bad.Why, err)
		}
		got, err := decode(bad.Layer, b)
		if e, ok := err.(*Error); !ok || e.Code.String() != bad.Code {
			t.Errorf("%s, %s: decoded %+v, %v, want code %s", bad.Layer, bad.Why, got, err, bad.Code)
		}
	}
}

// MarshalText writes a host into the vectors.
func (h Host) MarshalText() ([]byte, error) { return []byte(h.String()), nil }
