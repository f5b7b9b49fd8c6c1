// Package serverurl checks the URL by which a client names its server.
//
//	u, err := serverurl.Parse("https://tunnel.example.org/")
package serverurl

import (
	"fmt"
	"net/url"
	"slices"
)

var schemes = []string{"http", "https", "ws", "wss"}

// Parse returns the URL. One without a scheme or a host is an error: if a path is joined to it,
// its first part would be the host, and a token would go there.
func Parse(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) {
		return nil, fmt.Errorf("%q is not a server URL", text)
	}
	return u, nil
}
