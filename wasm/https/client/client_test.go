package client_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/client"
	"github.com/sockmux/sockmux/wasm/https/message"
	"github.com/sockmux/sockmux/wasm/https/streams"
	"github.com/sockmux/sockmux/wasm/memory"
)

// page is a page whose streams are TCP connections of this machine.
type page struct {
	pool    memory.Pool
	streams *streams.Set
	client  *client.Client

	mu    sync.Mutex
	conns map[uint32]chan func(net.Conn)
	tasks map[uint32]*result
}

// result is what a task has told.
type result struct {
	head, body []byte
	ended      bool
	code       wire.Code
	text       string
	done       chan struct{}
	took       int
}

func newPage(t *testing.T, roots string) *page {
	t.Helper()
	p := &page{conns: make(map[uint32]chan func(net.Conn)), tasks: make(map[uint32]*result)}
	p.streams = streams.NewSet(p, &p.pool)
	p.client = client.New(p, &p.pool, p.streams)
	p.client.Agent(1, []byte("1\x00"+roots+"\x00"))
	t.Cleanup(func() { p.client.Forget(1) })
	return p
}

func (p *page) Tell(kind, id, number uint32, b []byte) {
	b = bytes.Clone(b)
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.tasks[id]
	switch kind {
	case message.Open:
		host, port, _ := strings.Cut(string(b), "\x00")
		work := make(chan func(net.Conn), 1<<16)
		p.conns[id] = work
		go p.connect(id, net.JoinHostPort(host, port), work)
	case message.Write:
		p.conns[id] <- func(c net.Conn) {
			n, _ := c.Write(b)
			p.streams.Written(id, n)
		}
	case message.CloseWrite:
		p.conns[id] <- func(c net.Conn) { _ = c.(*net.TCPConn).CloseWrite() }
	case message.Close:
		p.conns[id] <- func(c net.Conn) { _ = c.Close() }
	case message.Head:
		r.head = b
	case message.Body:
		r.body = append(r.body, b...)
		p.client.Grant(id, len(b))
	case message.Took:
		r.took += int(number)
	case message.End:
		r.ended = true
		if id%2 == 1 && len(r.head) > 0 && r.head[0] >= '1' && r.head[0] <= '9' {
			close(r.done)
		}
	case message.Done:
		close(r.done)
	case message.Failed:
		r.code, r.text = wire.Code(number), string(b)
		close(r.done)
	}
}

func (p *page) connect(id uint32, address string, work chan func(net.Conn)) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		p.streams.Closed(id, wire.Refused, "nothing listens there")
		return
	}
	p.streams.Opened(id)
	go p.read(id, c)
	for f := range work {
		f(c)
	}
}

func (p *page) read(id uint32, c net.Conn) {
	for {
		b := p.pool.Get(4096)
		n, err := c.Read(b)
		if n > 0 {
			p.streams.Data(id, b[:n])
		}
		if err == io.EOF {
			p.streams.EOF(id)
		}
		if err != nil {
			p.streams.Closed(id, wire.OK, "")
			return
		}
	}
}

// begin starts a task.
func (p *page) begin(id uint32) *result {
	r := &result{done: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tasks[id] = r
	return r
}

// fetch waits for a whole answer.
func (p *page) fetch(id uint32, head, body string) *result {
	r := p.begin(id)
	p.client.Request(id, 1, []byte(head))
	if body != "" {
		b := p.pool.Get(len(body))
		copy(b, body)
		p.client.Give(id, b)
		p.client.Finish(id, false)
	}
	<-r.done
	return r
}

func pemOf(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func TestRequests(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Proto", r.Proto)
				_, _ = io.Copy(w, r.Body)
			}))
			s.EnableHTTP2 = protocol == "h2"
			s.StartTLS()
			defer s.Close()
			p := newPage(t, pemOf(s))
			long := strings.Repeat("x", 300_000)
			r := p.fetch(1, "POST\x00"+s.URL+"/\x00300000", long)
			want := "HTTP/1.1"
			if protocol == "h2" {
				want = "HTTP/2.0"
			}
			if r.text != "" || string(r.body) != long || r.took != len(long) || !strings.Contains(string(r.head), "X-Proto\x00"+want) {
				t.Errorf("%q, %d bytes, took %d, head %q", r.text, len(r.body), r.took, r.head)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	closed, _ := net.Listen("tcp", "127.0.0.1:0")
	_ = closed.Close()
	p := newPage(t, otherRoots(t))
	for i, c := range []struct {
		url, text string
		code      wire.Code
	}{
		{s.URL, "TLS: the certificate of 127.0.0.1 was signed by", wire.Protocol},
		{"https" + strings.TrimPrefix(plain.URL, "http"), "TLS: the server does not speak TLS at this port", wire.Protocol},
		{"http://" + closed.Addr().String(), "nothing listens there", wire.Refused},
		{"http://127.0.0.1:99999", "port 99999 is not in 1 to 65535", wire.InvalidRequest},
	} {
		r := p.fetch(uint32(2*i+1), "GET\x00"+c.url+"/\x000", "")
		if r.code != c.code || !strings.HasPrefix(r.text, c.text) {
			t.Errorf("%s: %v, %q", c.url, r.code, r.text)
		}
	}
	r := p.begin(99)
	p.client.Request(99, 7, []byte("GET\x00http://h/\x000"))
	if <-r.done; r.code != wire.InvalidRequest {
		t.Errorf("an unknown agent: %v", r.code)
	}
}

// otherRoots returns an authority that has signed nothing.
func otherRoots(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
}

func TestAbortEndsARequest(t *testing.T) {
	reached := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	}))
	defer s.Close()
	p := newPage(t, otherRoots(t))
	r := p.begin(1)
	p.client.Request(1, 1, []byte("GET\x00"+s.URL+"/\x000"))
	<-reached
	p.client.Abort(1)
	if <-r.done; r.code != wire.Aborted {
		t.Errorf("got %v, %q", r.code, r.text)
	}
}

// TestConnectionsThatEnd: a server that ends its connections takes no place of later ones.
func TestConnectionsThatEnd(t *testing.T) {
	for _, protocol := range []string{"http/1.1", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			s.EnableHTTP2 = protocol == "h2"
			s.StartTLS()
			defer s.Close()
			p := newPage(t, pemOf(s))
			for i := range 20 {
				if r := p.fetch(uint32(2*i+1), "GET\x00"+s.URL+"/\x000", ""); r.text != "" {
					t.Fatalf("request %d: %s", i, r.text)
				}
				s.CloseClientConnections()
			}
		})
	}
}
