package incoming

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"testing"

	"github.com/sockmux/sockmux/shared/wire"
)

// vector is a record with its length beside its fields. JavaScript's tests read the same file.
type vector struct {
	Hex    string `json:"hex"`
	Number uint16 `json:"number"`
	Remote string `json:"remote"`
	Why    string `json:"why"` // not empty: the record is malformed
}

func vectors(t testing.TB) (all []vector) {
	t.Helper()
	b, err := os.ReadFile("testdata/records.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		b, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(bytes.NewReader(b))
		if v.Why != "" {
			var coded *wire.Error
			if !errors.As(err, &coded) || coded.Code != wire.Protocol {
				t.Errorf("%s: %+v, %v", v.Why, got, err)
			}
			continue
		}
		want := Record{v.Number, netip.MustParseAddrPort(v.Remote)}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", v.Hex, got, err, want)
		}
		if again := want.Append(nil); len(b) == len(again) && !bytes.Equal(again, b) {
			t.Errorf("%+v is encoded as %x", want, again)
		}
	}
}

// A mapped address of a socket for both families is an IPv4 address.
func TestMapped(t *testing.T) {
	mapped := Record{3, netip.MustParseAddrPort("[::ffff:192.0.2.1]:9")}.Append(nil)
	if plain := (Record{3, netip.MustParseAddrPort("192.0.2.1:9")}).Append(nil); !bytes.Equal(mapped, plain) {
		t.Errorf("%x, want %x", mapped, plain)
	}
}

func TestEnds(t *testing.T) {
	whole := Record{3, netip.MustParseAddrPort("192.0.2.1:9")}.Append(nil)
	for n := range whole {
		_, err := Read(bytes.NewReader(whole[:n]))
		if n == 0 && err != io.EOF || n > 0 && !errors.Is(err, wire.NewError(wire.Protocol, "")) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	gone := errors.New("gone")
	if _, err := Read(io.MultiReader(bytes.NewReader(whole[:3]), failing{gone})); !errors.Is(err, gone) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestBacklog(t *testing.T) {
	for n, want := range map[int]uint32{-1: 0, 0: 0, 5: 5, 1 << 20: 1 << 20} {
		if b := AppendBacklog(nil, n); len(b) != BacklogSize || DecodeBacklog(b) != want {
			t.Errorf("%d: %x", n, b)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors(f) {
		if b, err := hex.DecodeString(v.Hex); err == nil && len(b) > 2 {
			f.Add(b[2:])
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body)
		if err != nil {
			return
		}
		again, err := Read(bytes.NewReader(r.Append(nil)))
		unmapped := netip.AddrPortFrom(r.Remote.Addr().Unmap(), r.Remote.Port())
		if err != nil || again.Number != r.Number || again.Remote != unmapped {
			t.Fatalf("%x: %+v, again %+v, %v", body, r, again, err)
		}
	})
}
