package serverurl_test

import (
	"testing"

	"github.com/sockmux/sockmux/internal/serverurl"
)

func TestParse(t *testing.T) {
	for _, text := range []string{"http://a", "https://a:1/b/?c=d", "ws://127.0.0.1:8088/", "wss://[::1]:1", "HTTPS://a"} {
		if _, err := serverurl.Parse(text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{"", "a", "127.0.0.1:8088", "localhost:8088", "/", "http:", "http://", "https://:443/", "//a", "::", "ftp://a", "http://a b"} {
		if u, err := serverurl.Parse(text); err == nil {
			t.Errorf("%q is taken as %v", text, u)
		}
	}
}
