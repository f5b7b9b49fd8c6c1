package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestCodesAreDistinct(t *testing.T) {
	names, closes := map[string]bool{}, map[int]bool{}
	for _, c := range Codes() {
		if names[c.String()] || closes[c.CloseCode()] {
			t.Errorf("code %d: name %s or close code %d is taken", c, c, c.CloseCode())
		}
		names[c.String()], closes[c.CloseCode()] = true, true
		if c.Meaning() == "" || c != OK && c.Errno() == 0 {
			t.Errorf("code %s: meaning %q, errno %d", c, c.Meaning(), c.Errno())
		}
		if CodeOfClose(c.CloseCode()) != c {
			t.Errorf("close code %d gives %s, want %s", c.CloseCode(), CodeOfClose(c.CloseCode()), c)
		}
	}
}

func TestUnknownCodeIsInternal(t *testing.T) {
	c := Code(9999)
	if c.Known() || c.Errno() != Internal.Errno() || c.CloseCode() != Internal.CloseCode() || c.String() != "code 9999" {
		t.Errorf("code 9999: %v %d %d %s", c.Known(), c.Errno(), c.CloseCode(), c)
	}
	for _, closeCode := range []int{0, 1001, 1006, 4000, 4999} {
		if got := CodeOfClose(closeCode); got != Internal {
			t.Errorf("close code %d: %s, want internal", closeCode, got)
		}
	}
}

func TestErrorsCompareByCode(t *testing.T) {
	err := fmt.Errorf("open: %w", NewError(Denied, "10.0.0.1 is private"))
	if !errors.Is(err, NewError(Denied, "")) || errors.Is(err, NewError(Refused, "")) {
		t.Errorf("%v is not told by its code", err)
	}
	if got := NewError(Refused, "").Error(); got != "refused: the target refused the connection" {
		t.Errorf("text without words of its own: %q", got)
	}
}

func TestLongTextsAreCutAtACharacter(t *testing.T) {
	long := strings.Repeat("ü", MaxCloseText)
	m, err := Decode(Close{Code: Internal, Text: long}.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if text := m.(Close).Text; len(text) != MaxCloseText || !utf8.ValidString(text) {
		t.Errorf("text of %d bytes, valid %v", len(text), utf8.ValidString(text))
	}
	if got := Cut("aü", 2); got != "a" {
		t.Errorf("cut inside a character: %q", got)
	}
}

func TestRequestWithoutForm(t *testing.T) {
	_, err := Request{Kind: TCP, Host: ParseHost(strings.Repeat("a", MaxName+1)), Port: 1}.Append(nil)
	if !errors.Is(err, NewError(InvalidRequest, "")) {
		t.Errorf("a name of %d bytes: %v", MaxName+1, err)
	}
	b, err := Request{Kind: TCP, Host: ParseHost(strings.Repeat("a", MaxName)), Port: 1}.Append(nil)
	if err != nil || len(b) > MaxRequest {
		t.Errorf("a name of %d bytes: %d bytes, %v", MaxName, len(b), err)
	}
}

func TestUnknownControlIsIgnored(t *testing.T) {
	if m, err := DecodeControl([]byte{200, 1, 2, 3}); m != nil || err != nil {
		t.Errorf("control type 200: %v, %v", m, err)
	}
}

// Options that are not known, and times and counts of 0, are passed over: each end may be the
// newer one.
func TestSocketOptions(t *testing.T) {
	got, err := DecodeSocketOptions([]byte{200, 0, 0, 0, 1, SocketNoDelay, 0, 0, 0, 7, SocketKeepIdle, 0, 0, 0, 0, SocketKeepCount, 0, 0, 0, 4})
	if want := (SocketOptions{NoDelay: On, KeepCount: 4}); err != nil || got != want {
		t.Errorf("decoded %+v, %v, want %+v", got, err, want)
	}
	if _, err := DecodeSocketOptions([]byte{SocketNoDelay, 0, 0}); !errors.Is(err, NewError(InvalidRequest, "")) {
		t.Errorf("options that are cut short: %v", err)
	}
	b := SocketOptions{KeepIdle: time.Millisecond, KeepInterval: math.MaxInt64}.Append(nil)
	if got, err := DecodeSocketOptions(b); err != nil || got.KeepIdle != time.Second || got.KeepInterval != math.MaxUint32*time.Second {
		t.Errorf("times beyond their bounds: %+v, %v", got, err)
	}
	all := SocketOptions{NoDelay: On, KeepAlive: On, KeepIdle: 1, KeepInterval: 2, KeepCount: 3}
	if got := (SocketOptions{}).With(all); got != all {
		t.Errorf("options over none: %+v", got)
	}
	if got, want := all.With(SocketOptions{NoDelay: Off, KeepCount: 9}), (SocketOptions{Off, On, 1, 2, 9}); got != want {
		t.Errorf("some options over all: %+v, want %+v", got, want)
	}
}

// A name with many addresses, or an address with many names, is cut to what an answer holds.
func TestAddressesAreBounded(t *testing.T) {
	var a Addresses
	for i := range 2 * MaxAddresses {
		a.Addrs = append(a.Addrs, netip.AddrFrom16([16]byte{0x20, 15: byte(i)}))
	}
	for range 2 * MaxNames {
		a.Names = append(a.Names, strings.Repeat("a", MaxName))
	}
	a.Names[1] = strings.Repeat("a", MaxName+1) // left out, as what has no form is
	b := a.Append(nil)
	if got, err := DecodeAddresses(b[2:]); err != nil || len(got.Names) != MaxNames-1 {
		t.Errorf("%d names, %v", len(got.Names), err)
	}
	a.Names[1] = a.Names[0]
	b = a.Append(nil)
	if got, err := DecodeAddresses(b[2:]); err != nil || len(got.Addrs) != MaxAddresses || len(got.Names) != MaxNames || len(b) != 2+MaxAddressesSize {
		t.Errorf("%d addresses, %d bytes, %v", len(got.Addrs), len(b), err)
	}
}

// FuzzDecode: what decodes encodes again to a message that decodes to the same.
func FuzzDecode(f *testing.F) {
	layers := []string{"link", "request", "result", "control", "addresses"}
	for i, layer := range layers {
		for _, m := range samples()[layer] {
			f.Add(uint8(i), encode(f, m))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		layer := layers[int(which)%len(layers)]
		m, err := decode(layer, b)
		if err != nil {
			if e, ok := err.(*Error); !ok || e.Code == OK || !e.Code.Known() {
				t.Fatalf("%s: error %v has no code", layer, err)
			}
			return
		}
		if m == nil {
			return
		}
		if q, ok := m.(Request); ok && len(q.Host.Name()) > MaxName {
			t.Fatalf("host of %d bytes", len(q.Host.Name()))
		}
		again := encode(t, m)
		second, err := decode(layer, again)
		if err != nil || !reflect.DeepEqual(m, second) {
			t.Fatalf("%s: %+v became %+v, %v", layer, m, second, err)
		}
		if !bytes.Equal(again, encode(t, second)) {
			t.Fatalf("%s: the encoding is not stable", layer)
		}
	})
}
