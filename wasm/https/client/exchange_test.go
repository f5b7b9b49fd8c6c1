package client

import (
	"net/http"
	"strings"
	"testing"
)

func TestURLsPassAsTheyAre(t *testing.T) {
	for text, want := range map[string][2]string{
		"https://h/":              {"h", "/"},
		"http://h:81/a%2Fb?c=%zz": {"h:81", "/a%2Fb?c=%zz"},
		"https://h/%zz|{}":        {"h", "/%zz|{}"},
		"https://[::1]:4/x?":      {"[::1]:4", "/x?"},
		"http://h//x":             {"h", "//x"},
		"https://h/a?b|c^\"":      {"h", "/a?b|c^\""},
	} {
		u, err := parseURL(text)
		if err != nil || u.Host != want[0] || u.RequestURI() != want[1] {
			t.Errorf("%s: %v, %v", text, u, err)
		}
	}
	for _, text := range []string{"", "h", "ftp://h/", "https:///x", "http://h//%zz"} {
		if u, err := parseURL(text); err == nil {
			t.Errorf("%s: %v", text, u)
		}
	}
}

func TestHeads(t *testing.T) {
	req, err := requestOf("PUT\x00https://h/p\x007\x00X-A\x001\x00x-a\x002\x00host\x00other", strings.NewReader(""))
	if err != nil || req.Method != "PUT" || req.ContentLength != 7 || req.Host != "other" || len(req.Header.Values("X-A")) != 2 {
		t.Errorf("%+v, %v", req, err)
	}
	for _, wrong := range []string{"", "GET\x00https://h/", "GET\x00https://h/\x00x", "GET\x00https://h/\x000\x00name"} {
		if _, err := requestOf(wrong, nil); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
	for proto, want := range map[int]string{1: "404\x00Not here\x00A\x00b", 2: "404\x00\x00A\x00b"} {
		resp := &http.Response{StatusCode: 404, Status: "404 Not here", ProtoMajor: proto, Header: http.Header{"A": {"b"}}}
		if got := string(encodeHead(resp)); got != want {
			t.Errorf("HTTP/%d: %q", proto, got)
		}
	}
}
