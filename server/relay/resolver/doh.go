package resolver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsMessage is the media type of RFC 8484, section 6.
const dnsMessage = "application/dns-message"

// maxMessage is what a DNS message can have (RFC 8484, section 6).
const maxMessage = 65535

// doh is a DNS server behind HTTPS.
type doh struct {
	url    string
	client *http.Client
}

func newDoH(address string, transport http.RoundTripper) *doh {
	if transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone() // proxies of the environment, HTTP/2
		own.MaxIdleConnsPerHost = 4
		transport = own
	}
	return &doh{url: address, client: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (d *doh) String() string { return d.url }
func (d *doh) close()         { d.client.CloseIdleConnections() }

func (d *doh) ask(ctx context.Context, host string, kind dnsmessage.Type) (found, error) {
	const id = 0 // so that HTTP caches can answer (RFC 8484, section 4.1)
	message, err := pack(id, host, kind)
	if err != nil {
		return found{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url, bytes.NewReader(message))
	if err != nil {
		return found{}, err
	}
	request.Header.Set("Content-Type", dnsMessage)
	request.Header.Set("Accept", dnsMessage)
	response, err := d.client.Do(request)
	if err != nil {
		return found{}, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return found{}, fmt.Errorf("the server answers %s", response.Status)
	}
	if kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || kind != dnsMessage {
		return found{}, fmt.Errorf("the answer is of type %q, not %s", response.Header.Get("Content-Type"), dnsMessage)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMessage+1))
	if err != nil {
		return found{}, fmt.Errorf("reading the answer: %w", err)
	}
	if len(body) > maxMessage {
		return found{}, fmt.Errorf("the answer has more than %d bytes", maxMessage)
	}
	f, err := unpack(body, id, host, kind)
	if err == nil && f.truncated {
		err = errors.New("the answer is cut off, even over https")
	}
	// What an HTTP cache has kept for a while is good for so much less (RFC 8484, section 5.1).
	if age, bad := strconv.ParseUint(response.Header.Get("Age"), 10, 31); bad == nil {
		f.ttl = max(0, f.ttl-time.Duration(age)*time.Second)
	}
	return f, err
}
