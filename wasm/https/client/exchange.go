package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"

	"github.com/sockmux/sockmux/wasm/https/message"
	"github.com/sockmux/sockmux/wasm/https/streams"
)

// exchange sends a request and hands its answer to the page.
func (c *Client) exchange(t *task, a *agent, head string) error {
	req, err := requestOf(head, t.up)
	if err != nil {
		return err
	}
	passed, err := a.gates.enter(t.ctx, req.URL.Scheme+"://"+req.URL.Host)
	if err != nil {
		return err
	}
	defer passed(false)
	resp, reused, err := roundTrip(t.ctx, a.transport, req, passed)
	if reused && repeatable(req, err) {
		resp, _, err = roundTrip(t.ctx, a.transport, req, passed)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	passed(true)
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return errors.New("the server answered 101: fetch() switches to no other protocol")
	}
	c.page.Tell(message.Head, t.id, 0, encodeHead(resp))
	body, err := decoded(resp.Body, resp.Header)
	if err != nil {
		return err
	}
	return c.copyDown(t, body)
}

// roundTrip sends a request. It calls passed(true) when there is a connection, and reports whether
// that had served requests before.
func roundTrip(ctx context.Context, transport *http.Transport, req *http.Request, passed func(bool)) (resp *http.Response, reused bool, err error) {
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		reused = info.Reused
		passed(true)
	}}
	resp, err = transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	return resp, reused, err
}

// repeatable reports whether a request may be sent again because the server had closed its
// connection before it came: one without a body and without an effect (RFC 9110, 9.2.1 and 9.2.2).
// Transport does that itself over HTTP/1.1.
func repeatable(req *http.Request, err error) bool {
	if req.Method != http.MethodGet && req.Method != http.MethodHead || req.ContentLength != 0 {
		return false
	}
	var stream *streams.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &stream)
}

// copyDown hands bytes to the page as it takes them.
func (c *Client) copyDown(t *task, from io.Reader) error {
	b := c.pool.Get(4 * bufferSize)
	defer c.pool.Put(b)
	for {
		room, err := t.down.Take(len(b))
		if err != nil {
			return err
		}
		n, err := from.Read(b[:room])
		t.down.Give(room - n)
		if n > 0 {
			c.page.Tell(message.Body, t.id, 0, b[:n])
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// requestOf reads the bytes of the message Request, with NULs between them: method, URL, length of
// the body (-1: unknown), and names and values of the header.
func requestOf(head string, body io.Reader) (*http.Request, error) {
	f := fields(head)
	if len(f) < 3 || len(f)%2 == 0 {
		return nil, errors.New("the request does not decode")
	}
	length, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil {
		return nil, err
	}
	req := &http.Request{
		Method: f[0], Header: make(http.Header),
		ProtoMajor: 1, ProtoMinor: 1, ContentLength: length,
	}
	if req.URL, err = parseURL(f[1]); err != nil {
		return nil, err
	}
	if length != 0 {
		req.Body = io.NopCloser(body)
	} else {
		req.Body = http.NoBody
	}
	for i := 3; i < len(f); i += 2 {
		if strings.EqualFold(f[i], "Host") {
			req.Host = f[i+1]
			continue
		}
		req.Header.Add(f[i], f[i+1])
	}
	return req, nil
}

// parseURL reads a URL as the URL standard writes it: path and query pass as they are, also where
// Go would write them in another way.
func parseURL(text string) (*url.URL, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	at := strings.IndexAny(rest+"/", "/?")
	host, target := rest[:at], rest[at:]
	if host == "" || scheme != "http" && scheme != "https" {
		return nil, errors.New("the URL begins with neither http: nor https:, or has no host")
	}
	if u, err := url.Parse(text); err == nil && u.Host == host && u.RequestURI() == target {
		return u, nil
	}
	if !strings.HasPrefix(target, "/") || strings.HasPrefix(target, "//") {
		return nil, errors.New("the path of the URL cannot be sent")
	}
	return &url.URL{Scheme: scheme, Host: host, Opaque: target}, nil
}

// encodeHead returns the bytes of the message Head, with NULs between them: status, reason phrase,
// names and values of the header.
func encodeHead(resp *http.Response) []byte {
	var b bytes.Buffer
	b.WriteString(strconv.Itoa(resp.StatusCode))
	b.WriteByte(0)
	if resp.ProtoMajor == 1 { // HTTP/2 has none
		_, reason, _ := strings.Cut(resp.Status, " ")
		b.WriteString(reason)
	}
	for name, values := range resp.Header {
		for _, value := range values {
			b.WriteByte(0)
			b.WriteString(name)
			b.WriteByte(0)
			b.WriteString(value)
		}
	}
	return b.Bytes()
}
