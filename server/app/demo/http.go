package demo

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Limits of one HTTP request.
const (
	maxHead = 32 << 10 // request line and headers; browsers send a tenth of it
	maxBody = 16 << 20 // is read and counted, never kept
)

// serveHTTP answers every request of a connection with a text that says what it saw.
// HTTP/1.0 and 1.1, with or without keep-alive (RFC 9112).
func serveHTTP(_ *Demo, c *client) {
	limited := &io.LimitedReader{R: c}
	reader := bufio.NewReader(limited)
	for {
		limited.N = maxHead
		request, err := http.ReadRequest(reader)
		if err == io.EOF {
			return
		}
		if err != nil {
			_ = response(nil, http.StatusBadRequest, "That is no HTTP request that I can read.\n", true).Write(c)
			return
		}
		limited.N = maxBody
		n, err := io.Copy(io.Discard, io.LimitReader(request.Body, maxBody))
		if err != nil {
			return
		}
		last := request.Close || n == maxBody
		if err := response(request, http.StatusOK, page(c, request, n), last).Write(c); err != nil || last {
			return
		}
	}
}

// page is the text of an answer.
func page(c *client, request *http.Request, body int64) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Hello from the other end of the tunnel.\n\nI am %s, you are %s.\nYou asked: %s %s %s\nHost: %s\n",
		c.conn.LocalAddr(), c.conn.RemoteAddr(), request.Method, request.RequestURI, request.Proto, request.Host)
	var names []string
	for name := range request.Header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(&text, "%s: %s\n", name, strings.Join(request.Header[name], ", "))
	}
	fmt.Fprintf(&text, "\nThe body has %d bytes.\n", body)
	return text.String()
}

func response(request *http.Request, status int, text string, last bool) *http.Response {
	r := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Request: request, Close: last,
		Header:        http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "Date": {time.Now().UTC().Format(http.TimeFormat)}},
		ContentLength: int64(len(text)),
		Body:          io.NopCloser(strings.NewReader(text)),
	}
	if request != nil && !request.ProtoAtLeast(1, 1) {
		r.ProtoMinor = 0
		if !last {
			r.Header.Set("Connection", "keep-alive")
		}
	}
	return r
}
