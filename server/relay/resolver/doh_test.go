package resolver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// serveDoH is a DoH server that answers as change wants it; nil: as it should.
func serveDoH(t *testing.T, z zone, change func(http.ResponseWriter, []byte) []byte) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != dnsMessage || r.Header.Get("Accept") != dnsMessage || r.ProtoMajor != 2 {
			t.Errorf("strange request %s %s %v", r.Proto, r.Method, r.Header)
		}
		query, _ := io.ReadAll(r.Body)
		if query[0] != 0 || query[1] != 0 {
			t.Errorf("the id is %x; want 0, for caches", query[:2])
		}
		messages, _ := z.answer(t, query, true)
		body := messages[len(messages)-1]
		w.Header().Set("Content-Type", dnsMessage)
		if change != nil {
			body = change(w, body)
		}
		_, _ = w.Write(body)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, &requests
}

func TestDoH(t *testing.T) {
	server, requests := serveDoH(t, testZone, nil)
	r := open(t, Config{Servers: []string{server.URL + "/dns-query"}, Transport: server.Client().Transport})
	for _, test := range []struct{ host, want string }{
		{"both.example", "2001:db8::1 192.0.2.1 192.0.2.2"},
		{"alias.example", "192.0.2.7"},
		{"missing.example", "lookup missing.example on SERVER: no such host"},
		{"bad.example", "lookup bad.example on SERVER: the server answers SERVFAIL"},
	} {
		answer, err := r.Lookup(t.Context(), "ip", test.host)
		got := texts(answer.Addrs)
		if err != nil {
			got = strings.ReplaceAll(err.Error(), server.URL+"/dns-query", "SERVER")
		}
		if got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	before := requests.Load()
	if _, err := r.Lookup(t.Context(), "ip", "both.example"); err != nil || requests.Load() != before {
		t.Errorf("the cache was not asked: %v, %d requests", err, requests.Load()-before)
	}
}

func TestDoHErrors(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(http.ResponseWriter, []byte) []byte
		want   string
	}{
		{"status", func(w http.ResponseWriter, _ []byte) []byte { w.WriteHeader(503); return nil }, "the server answers 503 Service Unavailable"},
		{"redirect", func(w http.ResponseWriter, _ []byte) []byte {
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(307)
			return nil
		}, "the server answers 307 Temporary Redirect"},
		{"type", func(w http.ResponseWriter, b []byte) []byte {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			return b
		}, `the answer is of type "text/html; charset=utf-8", not application/dns-message`},
		{"size", func(http.ResponseWriter, []byte) []byte { return make([]byte, maxMessage+1) }, "the answer has more than 65535 bytes"},
		{"garbage", func(http.ResponseWriter, []byte) []byte { return []byte("garbage") }, "an answer to another question"},
		{"cut off", func(_ http.ResponseWriter, b []byte) []byte { b[2] |= 2; return b }, "the answer is cut off, even over https"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, requests := serveDoH(t, testZone, test.change)
			r := open(t, Config{Servers: []string{server.URL}, Transport: server.Client().Transport})
			_, err := r.Lookup(t.Context(), "ip4", "both.example")
			if want := "lookup both.example on " + server.URL + ": " + test.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
			if requests.Load() != rounds {
				t.Errorf("%d requests; want %d", requests.Load(), rounds)
			}
		})
	}
}

func TestDoHAge(t *testing.T) {
	for age, want := range map[string]time.Duration{"": time.Minute, "25": 35 * time.Second, "61": 0, "-1": time.Minute, "x": time.Minute} {
		server, _ := serveDoH(t, testZone, func(w http.ResponseWriter, b []byte) []byte { w.Header().Set("Age", age); return b })
		d := newDoH(server.URL, server.Client().Transport)
		f, err := d.ask(t.Context(), "four.example", dnsmessage.TypeA)
		if err != nil || f.ttl != want {
			t.Errorf("%q: %v, %v; want %v", age, f.ttl, err, want)
		}
		d.close()
	}
}
