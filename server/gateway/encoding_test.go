package gateway

import (
	"fmt"
	"testing"
)

func TestEncodings(t *testing.T) {
	for _, test := range []struct{ header, want string }{
		{"br", "[br identity]"},
		{"gzip, deflate, br, zstd", "[br gzip identity]"},
		{"gzip", "[gzip identity]"},
		{"x-gzip", "[gzip identity]"},
		{"GZIP , Br", "[br gzip identity]"},
		{"br;q=0.5, gzip", "[gzip br identity]"},
		{"br;q=0.5, gzip;q=0.8", "[gzip br identity]"},
		{"br ; q=1.0,gzip;Q=0.001", "[br gzip identity]"},
		{"gzip;q=0.5, identity", "[identity gzip]"},
		{"br;q=0, gzip", "[gzip identity]"},
		{"*", "[br gzip identity]"},
		{"*;q=0.1, gzip", "[gzip br identity]"},
		{"*;q=0", "[identity]"},
		{"br, identity;q=0", "[br identity]"},
		{"br, *;q=0", "[br identity]"},
		{"br;q=2, gzip", "[gzip identity]"},
		{"br;q=-1, gzip", "[gzip identity]"},
		{"br;q=NaN, gzip", "[gzip identity]"},
		{"br;level=5, gzip", "[gzip identity]"},
		{"", "[identity]"},
		{",;,", "[identity]"},
		{"brotli", "[identity]"},
	} {
		if got := fmt.Sprint(encodings([]string{test.header})); got != test.want {
			t.Errorf("%q: %s, want %s", test.header, got, test.want)
		}
	}
	if got := fmt.Sprint(encodings(nil)); got != "[identity]" {
		t.Errorf("without the header: %s", got)
	}
	if got := fmt.Sprint(encodings([]string{"gzip;q=0.5", "br;q=0.6"})); got != "[br gzip identity]" {
		t.Errorf("on two lines: %s", got)
	}
}
