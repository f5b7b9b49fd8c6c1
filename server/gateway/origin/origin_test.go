package origin

import "testing"

func TestPattern(t *testing.T) {
	for _, test := range []struct {
		pattern, header string
		want            bool
	}{
		{"https://app.example.com", "https://app.example.com", true},
		{"https://APP.example.com", "https://app.example.com", true},
		{"https://app.example.com:443", "https://app.example.com", true},
		{"https://app.example.com", "https://app.example.com:443", true},
		{"https://app.example.com", "http://app.example.com", false},
		{"https://app.example.com", "https://app.example.com:8443", false},
		{"https://app.example.com", "https://app.example.com.evil.test", false},
		{"https://app.example.com", "https://evil.test/https://app.example.com", false},
		{"https://app.example.com", "https://app.example.com@evil.test", false},
		{"https://app.example.com", "null", false},
		{"https://app.example.com", "", false},
		{"https://*.example.com", "https://a.example.com", true},
		{"https://*.example.com", "https://a.b.example.com", true},
		{"https://*.example.com", "https://example.com", false},
		{"https://*.example.com", "https://.example.com", false},
		{"https://*.example.com", "https://evilexample.com", false},
		{"http://localhost:*", "http://localhost:3000", true},
		{"http://localhost:*", "http://localhost", true},
		{"http://localhost:*", "http://localhost.evil.test:3000", false},
		{"http://[::1]:8080", "http://[::1]:8080", true},
		{"http://[::1]", "http://[::1]", true},
		{"*", "https://anything.test", true},
		{"*", "null", true},
		{"null", "null", true},
		{"null", "https://anything.test", false},
	} {
		p, err := Parse(test.pattern)
		if err != nil {
			t.Errorf("%s: %v", test.pattern, err)
			continue
		}
		if got := p.Matches(test.header); got != test.want {
			t.Errorf("%s matches %q: %t, want %t", test.pattern, test.header, got, test.want)
		}
		if p.String() != test.pattern {
			t.Errorf("%s prints as %s", test.pattern, p)
		}
	}
	if (Pattern{}).Matches("null") || (Pattern{}).Matches("") {
		t.Error("the zero pattern matches")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "example.com", "ws://example.com", "https://", "https://example.com/", "https://example.com/path", "https://*",
		"https://a.*.com", "https://example.com:", "https://example.com:0", "https://example.com:65536", "https://example.com:http",
		"https://user@example.com", "https://exa mple.com", "https://bücher.example", "https://..example.com", "Null", "https://*.",
	} {
		if p, err := Parse(text); err == nil {
			t.Errorf("%q is read as %+v, want an error", text, p)
		}
	}
}

func TestSame(t *testing.T) {
	for _, test := range []struct {
		header, host string
		want         bool
	}{
		{"http://127.0.0.1:8088", "127.0.0.1:8088", true},
		{"https://mux.example.com", "mux.example.com", true},
		{"https://mux.example.com", "MUX.example.com:443", true},
		{"https://mux.example.com:443", "mux.example.com", true},
		{"http://[::1]:8088", "[::1]:8088", true},
		{"https://mux.example.com", "mux.example.com:80", false},
		{"http://127.0.0.1:8089", "127.0.0.1:8088", false},
		{"http://localhost:8088", "127.0.0.1:8088", false},
		{"https://evil.test", "mux.example.com", false},
		{"null", "null", false},
		{"", "", false},
		{"https://a/b", "a", false},
		{"https://a", "a/b", false},
		{"http://127.0.0.1:8088#", "127.0.0.1:8088", false},
		{"http://127.0.0.1:8088?", "127.0.0.1:8088", false},
		{"http://127.0.0.1:8088?q", "127.0.0.1:8088", false},
	} {
		if got := Same(test.header, test.host); got != test.want {
			t.Errorf("%q at host %q: same %t, want %t", test.header, test.host, got, test.want)
		}
	}
}

func TestRebindable(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:8088": false, "[::1]:8088": false, "[::1]": false, "localhost": false, "localhost:8088": false, "r.localhost:80": false,
		"evil.test:8088": true, "notlocalhost": true, "": true, "127.0.0.1.evil.test": true, "a b": true,
	} {
		if got := Rebindable(host); got != want {
			t.Errorf("%q: %t, want %t", host, got, want)
		}
	}
}
