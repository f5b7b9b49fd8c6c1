package datagram_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/datagram"
	"github.com/sockmux/sockmux/shared/wire"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew from the records below")

const vectorsFile = "testdata/vectors.json"

// vectors is the form of the file, which the tests of JavaScript read too.
type vectors struct {
	Note    string    `json:"note"`
	Valid   []valid   `json:"valid"`
	Invalid []invalid `json:"invalid"`
}

type valid struct {
	Hex     string `json:"hex"`
	Name    string `json:"name,omitempty"`
	Addr    string `json:"addr,omitempty"`
	Port    uint16 `json:"port,omitempty"`
	Code    uint16 `json:"code,omitempty"`
	Payload string `json:"payload"`
}

type invalid struct {
	Hex string `json:"hex"`
	Why string `json:"why"`
}

func named(name string, port uint16) datagram.Peer {
	return datagram.Peer{Host: wire.ParseHost(name), Port: port}
}

func samples() []datagram.Record {
	at := func(s string) datagram.Peer { return datagram.PeerAt(netip.MustParseAddrPort(s)) }
	return []datagram.Record{
		{Payload: []byte("hi")},
		{Payload: []byte{}},
		{Peer: at("192.0.2.1:53"), Payload: []byte{1, 2, 3}},
		{Peer: at("[2001:db8::1]:65535"), Payload: []byte("x")},
		{Peer: at("[::ffff:192.0.2.7]:5"), Payload: []byte("unmapped")},
		{Peer: named("time.example.org", 123), Payload: []byte{0x1b}},
		{Peer: named(strings.Repeat("n", wire.MaxName), 1), Payload: []byte("longest name")},
		datagram.Report(datagram.Peer{}, wire.Refused, "192.0.2.1:9: the target refused the connection"),
		datagram.Report(at("192.0.2.1:9"), wire.Denied, ""),
		datagram.Report(named("a.example", 9), wire.NameNotFound, "no"),
	}
}

func wrong() []invalid {
	return []invalid{
		{"000003", "a form that is none"},
		{"00000100", "an empty name"},
		{"000001fe", "a name of 254 bytes"},
		{"ffe400", "65508 bytes"},
		{"0000ff000000", "a report with the code ok"},
		{"0000ff0001ff", "a report about a report"},
		{"0201ff000100", "a report whose text has 513 bytes"},
	}
}

func vectorOf(t *testing.T, r datagram.Record) valid {
	t.Helper()
	b, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := valid{Hex: hex.EncodeToString(b), Name: r.Peer.Host.Name(), Port: r.Peer.Port, Code: uint16(r.Code), Payload: hex.EncodeToString(r.Payload)}
	if addr := r.Peer.Host.Addr(); addr.IsValid() {
		v.Addr = addr.String()
	}
	return v
}

// TestVectors: the file holds what this package encodes, and what it refuses.
func TestVectors(t *testing.T) {
	want := vectors{Note: "Records of a udp stream (docs/PROTOCOL.md, 5.3) as hex beside their fields. Payloads are hex."}
	for _, r := range samples() {
		want.Valid = append(want.Valid, vectorOf(t, r))
	}
	want.Invalid = append(want.Invalid, wrong()...)
	if *update {
		b, err := json.MarshalIndent(want, "", "\t")
		if err == nil {
			err = os.WriteFile(vectorsFile, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var got vectors
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s differs from what the package encodes: go test ./shared/datagram -update", vectorsFile)
	}
	for _, v := range got.Valid {
		whole, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		records := decodeAll(t, whole, len(whole))
		if len(records) != 1 {
			t.Fatalf("%s: %d records, want 1", v.Hex, len(records))
		}
		if back := vectorOf(t, records[0]); back != v {
			t.Errorf("%s: decoded as %+v, want %+v", v.Hex, back, v)
		}
	}
	for _, v := range got.Invalid {
		b, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		for size := 1; size <= len(b); size++ {
			if err := decode(b, size, func(datagram.Record) {}); !errors.Is(err, wire.NewError(wire.Protocol, "")) {
				t.Errorf("%s (%s) in pieces of %d: %v, want protocol", v.Hex, v.Why, size, err)
			}
		}
	}
}

// decode gives a decoder the bytes in pieces.
func decode(b []byte, size int, take func(datagram.Record)) error {
	var d datagram.Decoder
	for len(b) > 0 {
		n := min(size, len(b))
		if err := d.Decode(b[:n], take); err != nil {
			return err
		}
		b = b[n:]
	}
	if d.Pending() {
		return errors.New("a record is incomplete")
	}
	return nil
}

func decodeAll(t *testing.T, b []byte, size int) (all []datagram.Record) {
	t.Helper()
	err := decode(b, size, func(r datagram.Record) {
		r.Payload = bytes.Clone(r.Payload)
		all = append(all, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPieces: how the bytes of a stream are cut does not matter.
func TestPieces(t *testing.T) {
	var stream []byte
	for _, r := range append(samples(), datagram.Record{Payload: make([]byte, datagram.MaxPayload)}, datagram.Record{Payload: []byte("last")}) {
		var err error
		if stream, err = r.Append(stream); err != nil {
			t.Fatal(err)
		}
	}
	want := decodeAll(t, stream, len(stream))
	for _, size := range []int{1, 2, 3, 7, 64, 1000, 65536} {
		if got := decodeAll(t, stream, size); !reflect.DeepEqual(got, want) {
			t.Errorf("pieces of %d bytes: %d records that differ", size, len(got))
		}
	}
}

func TestTooLong(t *testing.T) {
	b, err := datagram.Record{Payload: make([]byte, datagram.MaxPayload+1)}.Append([]byte("before"))
	var long datagram.TooLong
	if !errors.As(err, &long) || string(b) != "before" || err.Error() != "a datagram of 65508 bytes, more than 65507" {
		t.Errorf("%v, %d bytes", err, len(b))
	}
	if _, err := (datagram.Record{Peer: named(strings.Repeat("n", 254), 1)}).Append(nil); !errors.Is(err, wire.NewError(wire.InvalidRequest, "")) {
		t.Error(err)
	}
}

func TestPeer(t *testing.T) {
	for want, p := range map[string]datagram.Peer{
		"192.0.2.1:53":     datagram.PeerAt(netip.MustParseAddrPort("192.0.2.1:53")),
		"[2001:db8::1]:53": datagram.PeerAt(netip.MustParseAddrPort("[2001:db8::1%eth0]:53")),
		"a.example:5":      named("a.example", 5),
	} {
		if got := p.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// FuzzDecode: no bytes make the decoder fail otherwise than by its error, whatever the pieces, and
// what it decodes is encoded as it came.
func FuzzDecode(f *testing.F) {
	for _, r := range samples() {
		b, err := r.Append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 3)
	}
	for _, w := range wrong() {
		b, err := hex.DecodeString(w.Hex)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, 1)
	}
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		var all []datagram.Record
		take := func(r datagram.Record) {
			r.Payload = bytes.Clone(r.Payload)
			all = append(all, r)
		}
		whole := decode(b, max(len(b), 1), take)
		first := all
		all = nil
		pieces := decode(b, 1+min(max(size, 0), 1<<16), take)
		if (whole == nil) != (pieces == nil) || !reflect.DeepEqual(first, all) {
			t.Fatalf("whole: %v, in pieces: %v", whole, pieces)
		}
		all = nil
		for _, r := range first {
			encoded, err := r.Append(nil)
			if err == nil {
				err = decode(encoded, len(encoded), take)
			}
			if err != nil {
				t.Fatalf("decoded %+v, which cannot be encoded: %v", r, err)
			}
		}
		if !reflect.DeepEqual(first, all) {
			t.Fatalf("decoded %+v, encoded again it is %+v", first, all)
		}
	})
}
