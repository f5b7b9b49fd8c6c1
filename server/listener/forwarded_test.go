package listener

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHandler(t *testing.T) {
	tests := []struct {
		name, peer string
		header     http.Header
		tls        bool
		address    string
		scheme     Scheme
		forwarded  bool // the header is still there behind
	}{
		{"a stranger", "192.0.2.1:99", http.Header{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Proto": {"https"}}, false, "192.0.2.1:99", SchemeUnknown, false},
		{"a proxy", "10.0.0.1:99", http.Header{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Proto": {"https"}}, false, "198.51.100.7:0", SchemeHTTPS, true},
		{"a proxy without headers", "10.0.0.1:99", http.Header{}, false, "10.0.0.1:99", SchemeUnknown, false},
		{"plain at the proxy", "10.0.0.1:99", http.Header{"X-Forwarded-Proto": {"HTTP"}}, false, "10.0.0.1:99", SchemeHTTP, false},
		{"the nearest is right", "10.0.0.1:99", http.Header{"X-Forwarded-Proto": {"https, http"}}, false, "10.0.0.1:99", SchemeHTTP, false},
		{"also in two lines", "10.0.0.1:99", http.Header{"X-Forwarded-Proto": {"http", "wss"}}, false, "10.0.0.1:99", SchemeHTTPS, false},
		{"nonsense", "10.0.0.1:99", http.Header{"X-Forwarded-Proto": {"gopher"}}, false, "10.0.0.1:99", SchemeUnknown, false},
		{"TLS ends here", "192.0.2.1:99", http.Header{"X-Forwarded-Proto": {"http"}}, true, "192.0.2.1:99", SchemeHTTPS, false},
		{"IPv6", "[fd00::1]:99", http.Header{"X-Forwarded-For": {"2001:db8::7"}}, false, "[2001:db8::7]:0", SchemeUnknown, true},
	}
	trusted := proxies(t, "10.0.0.0/8", "fd00::/8")
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			called := false
			h := trusted.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				called = true
				_, forwarded := r.Header["X-Forwarded-For"]
				if Direct(r) != test.peer {
					t.Errorf("direct %s", Direct(r))
				}
				if r.RemoteAddr != test.address || SchemeOf(r) != test.scheme || forwarded != test.forwarded {
					t.Errorf("address %s, scheme %q, header passed %t", r.RemoteAddr, SchemeOf(r), forwarded)
				}
			}))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header = test.peer, test.header
			if test.tls {
				r.TLS = new(tls.ConnectionState)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if !called {
				t.Error("not handed on")
			}
		})
	}
}
