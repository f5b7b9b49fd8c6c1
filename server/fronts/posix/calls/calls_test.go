package calls

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// vectors are messages of the original proxy and of programs compiled by emcc 3.1.6, and
// results that such programs have taken.
type vectors struct {
	Calls []struct {
		Name    string
		Message text
		Call    expected
		Error   bool
	}
	Results []struct {
		Name    string
		Message text
	}
}

// text is hexadecimal; a number in parentheses stands for as many zero bytes.
type text []byte

var zeros = regexp.MustCompile(`\((\d+)\)`)

func (x *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	s = zeros.ReplaceAllStringFunc(s, func(run string) string {
		n, _ := strconv.Atoi(strings.Trim(run, "()"))
		return strings.Repeat("00", n)
	})
	decoded, err := hex.DecodeString(s)
	*x = decoded
	return err
}

// expected is a Call with its bytes as text.
type expected struct {
	ID                     int32
	Function               Function
	FD                     int32
	Domain, Type, Protocol int32
	How, Backlog, Flags    int32
	Level, Option          int32
	Length                 uint32
	AddressLen             int
	Address, Data          text
	Lookup                 Lookup
}

func readVectors(t testing.TB) (v vectors) {
	t.Helper()
	file, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVectors(t *testing.T) {
	v := readVectors(t)
	if len(v.Calls) < 70 || len(v.Results) < 9 {
		t.Fatalf("%d calls and %d results", len(v.Calls), len(v.Results))
	}
	for _, row := range v.Calls {
		got, err := Decode(row.Message, false)
		if (err != nil) != row.Error {
			t.Errorf("%s: %v", row.Name, err)
			continue
		}
		e := row.Call
		want := Call{
			e.ID, e.Function, e.FD, e.Domain, e.Type, e.Protocol, e.How, e.Backlog, e.Flags, e.Level, e.Option,
			e.Length, e.AddressLen, e.Address, e.Data, e.Lookup,
		}
		if len(got.Data) == 0 {
			got.Data, want.Data = nil, nil
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v", row.Name, got, want)
		}
	}
}

// TestResults encodes the results that compiled programs have taken.
func TestResults(t *testing.T) {
	local := netip.MustParseAddrPort("127.0.0.1:40000")
	made := map[string][]byte{
		"socket failure":      Failure(1, Socket, 28),
		"connect refused":     Failure(1, Connect, 14),
		"recv would block":    Failure(1, Recv, 6),
		"getsockopt int 1":    Result(1, 0, 0, []byte{1, 0, 0, 0}),
		"getsockname failure": Failure(1, Getsockname, 138),
		"recvfrom":            Result(1, 4, 0, From([]byte("ping"), AppendAddress(nil, AFInet, netip.MustParseAddrPort("127.0.0.1:7778")), 16)),
		"getaddrinfo failure": LookupFailure(1, -2, 0),
		"accept":              Result(1, 600, 0, Named(AppendAddress(nil, AFInet, local), 16)),
	}
	for _, row := range readVectors(t).Results {
		got, ok := made[row.Name]
		if row.Name == "socketpair failure" { // its two words mean nothing
			got, ok = Failure(1, Socketpair, 138), true
			row.Message = append(row.Message[:12], 0, 0, 0, 0, 0, 0, 0, 0)
		}
		if !ok || !bytes.Equal(got, row.Message) {
			t.Errorf("%s:\n%x, want\n%x", row.Name, got, []byte(row.Message))
		}
	}
}

// TestLeast makes no failure that a client would wait for.
func TestLeast(t *testing.T) {
	for function, want := range map[Function]int{
		Socket: 12, Socketpair: 20, Shutdown: 12, Bind: 12, Connect: 12, Listen: 12, Accept: 16, Getsockname: 16, Getpeername: 16,
		Send: 12, Recv: 12, Sendto: 12, Recvfrom: 12, Getsockopt: 12, Setsockopt: 12, Getaddrinfo: 2064, Getnameinfo: 2064, 77: 2064,
	} {
		if got := len(Failure(1, function, 28)); got != want {
			t.Errorf("function %d: %d bytes, want %d", function, got, want)
		}
	}
}

func TestFound(t *testing.T) {
	address := AppendAddress(nil, AFInet6, netip.MustParseAddrPort("[::1]:80"))
	b := Found(strings.Repeat("n", NodeSize+5), []Entry{{1, AFInet6, 1, 6, address}, {Family: AFInet, Address: AppendAddress(nil, AFInet, netip.MustParseAddrPort("1.2.3.4:5"))}})
	if len(b) != NodeSize+4+20+28+20+16 || b[NodeSize-1] != 0 || b[NodeSize] != 2 {
		t.Errorf("%d bytes: %x", len(b), b[NodeSize-2:])
	}
	if got := b[NodeSize+4 : NodeSize+4+20]; !bytes.Equal(got, []byte{1, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 28, 0, 0, 0}) {
		t.Errorf("% x", got)
	}
}

func TestAddress(t *testing.T) {
	for _, test := range []struct {
		family   int32
		in, want string
	}{
		{AFInet, "127.0.0.1:7", "127.0.0.1:7"}, {AFInet6, "127.0.0.1:7", "[::ffff:127.0.0.1]:7"}, {AFInet6, "[2001:db8::1]:65535", "[2001:db8::1]:65535"},
	} {
		b := AppendAddress(nil, test.family, netip.MustParseAddrPort(test.in))
		if got, ok := AddrPort(b); !ok || got.String() != test.want || Family(b) != test.family {
			t.Errorf("%s: %s, %t", test.in, got, ok)
		}
		if _, ok := AddrPort(b[:15]); ok {
			t.Errorf("%s: 15 bytes are an address", test.in)
		}
	}
	if got, ok := AddrPort(AppendAddress(nil, AFInet, netip.AddrPort{})); !ok || got.String() != "0.0.0.0:0" {
		t.Errorf("%s, %t", got, ok)
	}
	if got, ok := AddrPort(AppendAddress(nil, AFInet6, netip.AddrPort{})); !ok || got.String() != "[::]:0" {
		t.Errorf("%s, %t", got, ok)
	}
}

// TestCut takes what is there of a message that was too long to keep.
func TestCut(t *testing.T) {
	message := append([]byte{1, 0, 0, 0, 10, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}, "begin"...)
	if _, err := Decode(message, false); err == nil {
		t.Error("a Send of 64 KiB with 5 bytes is taken")
	}
	if c, err := Decode(message, true); err != nil || string(c.Data) != "begin" {
		t.Errorf("%+v, %v", c, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, row := range readVectors(f).Calls {
		f.Add([]byte(row.Message), false)
	}
	f.Fuzz(func(t *testing.T, message []byte, cut bool) {
		c, err := Decode(message, cut)
		if len(c.Data) > len(message) || len(c.Address) > 128 || len(c.Lookup.Node) > NodeSize || c.AddressLen > 128 {
			t.Fatalf("%+v of %d bytes", c, len(message))
		}
		if len(message) >= HeaderSize && (c.ID != int32(message[0])|int32(message[1])<<8|int32(message[2])<<16|int32(message[3])<<24) {
			t.Fatalf("call %d of %x", c.ID, message[:4])
		}
		if len(message) < HeaderSize && err == nil {
			t.Fatalf("%d bytes are a call", len(message))
		}
		if ap, ok := AddrPort(c.Address); ok && !bytes.Equal(AppendAddress(nil, Family(c.Address), ap)[:8], zeroFlow(c.Address)[:8]) {
			t.Fatalf("%s of %x", ap, c.Address)
		}
		_ = Failure(c.ID, c.Function, 28)
	})
}

// zeroFlow returns an address without what AddrPort does not read.
func zeroFlow(address []byte) []byte {
	b := bytes.Clone(address)
	if Family(b) == AFInet6 {
		clear(b[4:8])
	}
	return b
}
