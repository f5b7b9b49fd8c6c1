// Package origin decides which pages may use the server: the Origin header of RFC 6454
// against the server's own host and against patterns. It is pure.
//
// The check protects people, not the server: it keeps a page of a stranger from using a
// sockmux server through the browser of a person who can reach it. Programs that are no
// browsers may send any Origin or none.
package origin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Null is what browsers send for pages without an origin: files, sandboxed frames, data URLs.
const Null = "null"

// Pattern says which origins are allowed. The zero value matches none.
type Pattern struct {
	text       string
	any        bool   // every origin
	scheme     string // "http" or "https"; empty with any and null
	host       string // lower case; with subdomains only the part behind "*."
	subdomains bool
	port       string // never empty beside a scheme; "*" is every port
}

// errForm is the same for all mistakes: the whole grammar fits into one line.
var errForm = errors.New(`want SCHEME://HOST or SCHEME://HOST:PORT, such as https://app.example.com, https://*.example.com or http://localhost:*; "*" is every page, "null" pages without an origin`)

// Parse reads a pattern: "*", "null" or SCHEME://HOST[:PORT]. HOST may begin with "*.",
// which stands for one label or more and not for the bare domain; PORT may be "*";
// without PORT it is the scheme's own.
func Parse(text string) (Pattern, error) {
	switch text {
	case "*":
		return Pattern{text: text, any: true}, nil
	case Null:
		return Pattern{text: text}, nil
	}
	scheme, rest, found := strings.Cut(strings.ToLower(text), "://")
	if !found || scheme != "http" && scheme != "https" {
		return Pattern{}, errForm
	}
	host, port := rest, defaultPort(scheme)
	if h, p, err := net.SplitHostPort(rest); err == nil {
		host, port = h, p
	} else if strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "]") {
		host = rest[1 : len(rest)-1]
	}
	p := Pattern{text: text, scheme: scheme, port: port}
	p.host, p.subdomains = strings.CutPrefix(host, "*.")
	if !validHost(p.host) || port != "*" && !validPort(port) {
		return Pattern{}, errForm
	}
	return p, nil
}

// String returns the text that was parsed.
func (p Pattern) String() string { return p.text }

// Matches reports whether a value of the Origin header is allowed by the pattern.
func (p Pattern) Matches(header string) bool {
	if p.any {
		return true
	}
	if p.scheme == "" {
		return p.text == Null && header == Null
	}
	scheme, host, port, err := split(header)
	if err != nil || scheme != p.scheme || p.port != "*" && port != p.port {
		return false
	}
	if p.subdomains {
		return strings.HasSuffix(host, "."+p.host) && len(host) > len(p.host)+1
	}
	return host == p.host
}

// Same reports whether a value of the Origin header names the host of the request (its Host
// header), at the same port. The scheme does not count: behind a proxy that ends TLS the
// server cannot know it.
func Same(header, requestHost string) bool {
	scheme, host, port, err := split(header)
	if err != nil {
		return false
	}
	_, ownHost, ownPort, err := split(scheme + "://" + requestHost)
	return err == nil && host == ownHost && port == ownPort
}

// Rebindable reports whether requestHost is a name that its owner could point anywhere, this
// machine included. A page of such a name could reach a server on the loopback interface
// and would look like the server's own page (DNS rebinding). Addresses and localhost are
// safe.
func Rebindable(requestHost string) bool {
	_, host, _, err := split("http://" + requestHost)
	if err != nil {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	return host != "localhost" && !strings.HasSuffix(host, ".localhost")
}

// split takes a serialized origin apart; the port is never empty.
func split(header string) (scheme, host, port string, err error) {
	u, err := url.Parse(header)
	if err != nil {
		return "", "", "", err
	}
	// An empty query or fragment leaves nothing in u but the mark in the text.
	if u.Host == "" || u.Path != "" || u.User != nil || strings.ContainsAny(header, "?#") {
		return "", "", "", fmt.Errorf("%q is not an origin", header)
	}
	scheme, host, port = u.Scheme, strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = defaultPort(scheme)
	}
	return scheme, host, port, nil
}

func defaultPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// validHost takes addresses and names of letters, digits, "-", "_" and "." (in a header a
// browser writes every other name in punycode).
func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	if host == "" || strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") || strings.Contains(host, "..") {
		return false
	}
	return strings.IndexFunc(host, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
}

func validPort(port string) bool {
	if port == "" || len(port) > 5 || port[0] == '0' {
		return false
	}
	n := 0
	for _, digit := range port {
		if digit < '0' || digit > '9' {
			return false
		}
		n = n*10 + int(digit-'0')
	}
	return n <= 65535
}
