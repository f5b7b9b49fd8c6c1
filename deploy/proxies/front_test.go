package proxies_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/websocket"
	"github.com/sockmux/sockmux/shared/wire"
)

// front is a server as clients reach it: through a proxy.
type front struct {
	addr    string // where the proxy listens
	host    string // in URLs
	roots   *x509.CertPool
	prefix  string
	token   string    // of clients
	servers []*server // behind it
	origins []string  // of pages that may connect
	reload  func(*testing.T)
}

func (f *front) url(path string) string { return "https://" + f.host + f.prefix + path }

// visitor is the client's address: another one than the proxy's, where loopback has more than one.
var visitor = func() string {
	if runtime.GOOS == "linux" {
		return "127.0.0.5"
	}
	return "127.0.0.1"
}()

// transport reaches the proxy by the server's public name, and decodes nothing.
func (f *front) transport() *http.Transport {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}}
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", f.addr)
		},
		TLSClientConfig:    &tls.Config{RootCAs: f.roots, ServerName: host, MinVersion: tls.VersionTLS12},
		DisableCompression: true,
	}
}

// get gives an answer with its whole body; it follows no redirect. HTTP/2 is spoken with
// proxies that offer it.
func (f *front) get(t *testing.T, url string, header http.Header) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	transport := f.transport()
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	browser := &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return response, body
}

// forged is what a client says of itself; no server may believe it.
var forged = http.Header{"X-Forwarded-For": {"203.0.113.9"}, "X-Forwarded-Proto": {"http"}}

// dial opens a carrier as a page of that origin does.
func (f *front) dial(ctx context.Context, origin string) (link.Carrier, error) {
	header := forged.Clone()
	header.Set("Origin", origin)
	transport := f.transport()
	transport.DisableKeepAlives = true
	defer transport.CloseIdleConnections()
	return websocket.Dial(ctx, f.url("v1/connect"), &http.Client{Transport: transport}, header)
}

// page is a client with a session.
type page struct {
	*client.Client
	front *front

	mu     sync.Mutex
	states []client.State
	news   chan struct{} // closed with the next state
}

// open makes a page; it ends with the test.
func (f *front) open(t *testing.T) *page { return f.openWith(t, f.token) }

// openWith makes a page with that token.
func (f *front) openWith(t *testing.T, token string) *page {
	p := &page{front: f, news: make(chan struct{})}
	p.Client = client.New(client.Config{
		Dial: func(ctx context.Context) (link.Carrier, error) {
			c, err := f.dial(ctx, f.origins[0])
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Token: func() string { return token },
		OnState: func(s client.State) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.states = append(p.states, s)
			close(p.news)
			p.news = make(chan struct{})
		},
	})
	t.Cleanup(p.Close)
	return p
}

// reached gives the number of the first state in a phase, from a number on; -1: none came in time.
func (p *page) reached(from int, phase client.Phase, timeout time.Duration) int {
	expired := time.After(timeout)
	for {
		p.mu.Lock()
		for ; from < len(p.states); from++ {
			if p.states[from].Phase == phase {
				defer p.mu.Unlock()
				return from
			}
		}
		news := p.news
		p.mu.Unlock()
		select {
		case <-news:
		case <-expired:
			return -1
		}
	}
}

func (p *page) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.states)
}

// connect opens a stream to a demo service.
func (p *page) connect(t *testing.T, service string) *mux.Stream {
	t.Helper()
	s, err := p.Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("demo.test"), Port: p.front.port(t, service)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // it may have ended
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, err := s.Result(ctx)
	if err == nil {
		err = result.Err()
	}
	if err != nil {
		t.Fatalf("%s: %v", service, err)
	}
	return s
}

// port reads the playground's list.
func (f *front) port(t *testing.T, service string) uint16 {
	t.Helper()
	response, body := f.get(t, f.url("demo.json"), nil)
	var services []struct {
		Name string
		Port uint16
	}
	if err := json.Unmarshal(body, &services); err != nil {
		t.Fatalf("demo.json: %s, %v: %s", response.Status, err, body)
	}
	for _, s := range services {
		if s.Name == service {
			return s.Port
		}
	}
	t.Fatalf("no %s in %s", service, body)
	return 0
}

// logged waits until one of the servers has logged a line with all of these.
func (f *front) logged(t *testing.T, parts ...string) {
	t.Helper()
	eventually(t, "a line of the log has "+strings.Join(parts, " and "), func() bool {
		for _, s := range f.servers {
		lines:
			for line := range strings.Lines(s.log.String()) {
				for _, part := range parts {
					if !strings.Contains(line, part) {
						continue lines
					}
				}
				return true
			}
		}
		return false
	})
}
