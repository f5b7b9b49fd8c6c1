package message_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/shared/message"
	"github.com/sockmux/sockmux/shared/wire"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew from the streams below")

const vectorsFile = "testdata/vectors.json"

// vectors is the form of the file, which the tests of JavaScript read too.
type vectors struct {
	Note    string    `json:"note"`
	Valid   []valid   `json:"valid"`
	Invalid []invalid `json:"invalid"`
}

type valid struct {
	Hex   string   `json:"hex"`
	Reads []string `json:"reads"`
}

type invalid struct {
	Hex string `json:"hex"`
	Why string `json:"why"`
}

// reads notes what a Decoder passes on, a line for each message.
type reads struct {
	lines   []string
	payload []byte
}

func (r *reads) Open(o message.Open) error {
	line := fmt.Sprintf("open tls=%t %s %s", o.TLS, o.Resource, strings.Join(o.Subprotocols, ","))
	if o.OwnFields {
		line += " fields"
	}
	for _, f := range o.Fields {
		line += " " + f.Name + "=" + f.Value
	}
	r.lines = append(r.lines, line)
	return nil
}

func (r *reads) Piece(p message.Record, first bool) error {
	if first != (r.payload == nil) {
		return errors.New("first is wrong")
	}
	r.payload = append(slices.Concat([]byte{}, r.payload), p.Payload...)
	if r.payload == nil {
		r.payload = []byte{}
	}
	if p.Last {
		r.lines = append(r.lines, fmt.Sprintf("%s %x", map[message.Kind]string{message.Text: "text", message.Binary: "binary"}[p.Kind], r.payload))
		r.payload = nil
	}
	return nil
}

func (r *reads) CloseFrame(code uint16, reason string) error {
	r.lines = append(r.lines, fmt.Sprintf("close %d %s", code, reason))
	return nil
}

func stream(t *testing.T, o message.Open, records ...message.Record) []byte {
	t.Helper()
	b, err := o.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		b = r.Append(b)
	}
	return b
}

func samples(t *testing.T) [][]byte {
	plain := message.Open{Resource: "/"}
	return [][]byte{
		stream(t, plain),
		stream(t, message.Open{TLS: true, Resource: "/chat?room=1", Subprotocols: []string{"a", "b.c"}},
			message.Record{Kind: message.Text, Last: true, Payload: []byte("hi")},
			message.Record{Kind: message.Binary, Last: true, Payload: []byte{0, 255}},
			message.CloseRecord(1000, "bye")),
		stream(t, plain,
			message.Record{Kind: message.Text, Payload: []byte("in ")},
			message.Record{Kind: message.More},
			message.Record{Kind: message.More, Last: true, Payload: []byte("pieces")},
			message.Record{Kind: message.Text, Last: true},
			message.CloseRecord(message.NoCode, "")),
		stream(t, plain, message.CloseRecord(4999, strings.Repeat("r", message.MaxReason))),
		stream(t, message.Open{Resource: "/", OwnFields: true}),
		stream(t, message.Open{
			TLS: true, Resource: "/", Subprotocols: []string{"a"}, OwnFields: true,
			Fields: []message.Field{{"Authorization", "Bearer x y"}, {"x-empty", ""}, {"Cookie", "a=\u00e9"}},
		}),
	}
}

func wrong() []invalid {
	return []invalid{
		{"0000", "no handshake"},
		{"3001", "a handshake of 12289 bytes"},
		{"000404000100", "flag 4"},
		{"0004020001" + "2f", "fields that are missing"},
		{"0006020001" + "2f" + "0001", "fields that are cut short"},
		{"0009020001" + "2f" + "0003016100", "a value without its length"},
		{"000a020001" + "2f" + "000401610001", "a value that is cut short"},
		{"000a020001" + "2f" + "000400000162", "a field without a name"},
		{"000b020001" + "2f" + "0005013a000162", "a name that is no token"},
		{"000b020001" + "2f" + "0005016100010a", "a value with a line end"},
		{"000b020001" + "2f" + "00050161000120", "a value that is a space"},
		{"000d020001" + "2f" + "000704686f73740000", "the field host"},
		{"0003000000", "no resource"},
		{"0004000001" + "61", "a resource without a slash"},
		{"000500000220" + "2f", "a resource with a space in front"},
		{"00060000032f0d0a", "a resource with a line end"},
		{"000600000101" + "2f01", "a subprotocol that is cut short"},
		{"0006000001" + "2f0120", "a subprotocol with a space"},
		{"000800000" + "12f01610161", "a subprotocol twice"},
		{"0004000001" + "2f" + "8000000000", "one more piece of nothing"},
		{"0004000001" + "2f" + "01000000008100000000", "a message in a message"},
		{"0004000001" + "2f" + "8300000000", "kind 3"},
		{"0004000001" + "2f" + "0800000000", "a close frame in pieces"},
		{"0004000001" + "2f" + "880000000103", "a close code of one byte"},
		{"0004000001" + "2f" + "880000000203ed", "close code 1005"},
		{"0004000001" + "2f" + "880000000303e8ff", "a reason that is no UTF-8"},
		{"0004000001" + "2f" + "880000007e03e8", "a reason of 124 bytes"},
	}
}

func TestVectors(t *testing.T) {
	if *update {
		v := vectors{Note: "What a client sends on a websocket stream (docs/PROTOCOL.md, 5.4) as hex beside what it means. Payloads are hex."}
		for _, b := range samples(t) {
			var r reads
			var d message.Decoder
			if err := d.Decode(b, &r); err != nil {
				t.Fatal(err)
			}
			v.Valid = append(v.Valid, valid{hex.EncodeToString(b), r.lines})
		}
		v.Invalid = append(v.Invalid, wrong()...)
		b, err := json.MarshalIndent(v, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(vectorsFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	for i, b := range samples(t) {
		if v.Valid[i].Hex != hex.EncodeToString(b) {
			t.Errorf("sample %d is encoded as %x", i, b)
		}
		for _, size := range []int{1, 3, len(b)} {
			var r reads
			var d message.Decoder
			for piece := range slices.Chunk(b, size) {
				if err := d.Decode(piece, &r); err != nil {
					t.Fatalf("sample %d in pieces of %d: %v", i, size, err)
				}
			}
			if !reflect.DeepEqual(r.lines, v.Valid[i].Reads) {
				t.Errorf("sample %d in pieces of %d: %q", i, size, r.lines)
			}
		}
	}
	for _, w := range v.Invalid {
		b, err := hex.DecodeString(w.Hex)
		if err != nil {
			t.Fatal(err)
		}
		var r reads
		var d message.Decoder
		var known *wire.Error
		if err := d.Decode(b, &r); !errors.As(err, &known) || known.Code != wire.InvalidRequest {
			t.Errorf("%s: %v, %q", w.Why, err, r.lines)
		}
		if err := d.Decode([]byte("more"), &r); err != nil {
			t.Errorf("%s: behind its error: %v", w.Why, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, o := range []message.Open{
		{},
		{Resource: "a"},
		{Resource: "/ "},
		{Resource: "/#"},
		{Resource: "/é"},
		{Resource: "/" + strings.Repeat("x", message.MaxResource)},
		{Resource: "/", Subprotocols: []string{""}},
		{Resource: "/", Subprotocols: []string{"a,b"}},
		{Resource: "/", Subprotocols: []string{"a", "a"}},
		{Resource: "/", Subprotocols: []string{strings.Repeat("x", 256)}},
		{Resource: "/", OwnFields: true, Fields: []message.Field{{strings.Repeat("x", 256), ""}}},
		{Resource: "/", OwnFields: true, Fields: []message.Field{{"X", strings.Repeat("x", message.MaxFields)}}},
		{Resource: "/", OwnFields: true, Fields: []message.Field{{"Sec-WebSocket-Key", "x"}}},
		{Resource: "/", OwnFields: true, Fields: []message.Field{{"transfer-encoding", "chunked"}}},
	} {
		if b, err := o.Append(nil); err == nil {
			t.Errorf("%+v is encoded as %x", o, b)
		}
	}
}

// FuzzDecode: pieces of any size mean the same, and what is passed on is what was sent.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x04\x00\x00\x01/\x81\x00\x00\x00\x02hi"), 1)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		size = max(1, size)
		var whole, pieces reads
		var d, e message.Decoder
		first := d.Decode(b, &whole)
		var second error
		for piece := range slices.Chunk(b, size) {
			if second = e.Decode(piece, &pieces); second != nil {
				break
			}
		}
		if !reflect.DeepEqual(whole.lines, pieces.lines) || (first == nil) != (second == nil) || !bytes.Equal(whole.payload, pieces.payload) {
			t.Errorf("%q, %v; in pieces %q, %v", whole.lines, first, pieces.lines, second)
		}
	})
}
