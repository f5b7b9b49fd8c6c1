package listener

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Scheme is "https" or "http", or empty where no trusted proxy has sent it.
type Scheme string

// The schemes.
const (
	SchemeUnknown Scheme = ""
	SchemeHTTP    Scheme = "http"
	SchemeHTTPS   Scheme = "https"
)

// schemeKey is the key of a request's Scheme in its context.
type schemeKey struct{}

// SchemeOf says how the browser has sent the request: over TLS that ends here, or as a
// trusted proxy tells.
func SchemeOf(r *http.Request) Scheme {
	if r.TLS != nil {
		return SchemeHTTPS
	}
	scheme, _ := r.Context().Value(schemeKey{}).(Scheme)
	return scheme
}

// Handler puts the client's address into RemoteAddr, with port 0, and the scheme where
// SchemeOf finds it, of requests that come from trusted proxies. The headers of all others
// else are removed, so that nothing behind believes them.
func (p Proxies) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !p.Contains(peer.Addr()) {
			r.Header.Del("X-Forwarded-For")
			r.Header.Del("X-Forwarded-Proto")
			next.ServeHTTP(w, r)
			return
		}
		if forwarded := r.Header["X-Forwarded-For"]; len(forwarded) > 0 {
			if client := p.client(peer.Addr().Unmap(), forwarded); client != peer.Addr().Unmap() {
				r = r.WithContext(context.WithValue(r.Context(), directKey{}, r.RemoteAddr))
				r.RemoteAddr = net.JoinHostPort(client.String(), "0")
			}
		}
		if scheme := lastScheme(r.Header["X-Forwarded-Proto"]); scheme != SchemeUnknown {
			r = r.WithContext(context.WithValue(r.Context(), schemeKey{}, scheme))
		}
		next.ServeHTTP(w, r)
	})
}

// lastScheme takes what the nearest proxy has said; what stands before it may be the
// client's own invention.
func lastScheme(lines []string) Scheme {
	if len(lines) == 0 {
		return SchemeUnknown
	}
	last := lines[len(lines)-1]
	switch strings.ToLower(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])) {
	case "https", "wss":
		return SchemeHTTPS
	case "http", "ws":
		return SchemeHTTP
	default:
		return SchemeUnknown
	}
}

// directKey is the key of the other end of a request's connection in its context, where
// Handler has replaced it.
type directKey struct{}

// Direct gives the other end of the TCP connection that a request came over: the proxy,
// where RemoteAddr is what a trusted proxy tells.
func Direct(r *http.Request) string {
	if direct, ok := r.Context().Value(directKey{}).(string); ok {
		return direct
	}
	return r.RemoteAddr
}
