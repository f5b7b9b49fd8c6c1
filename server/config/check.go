package config

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// check finds what only shows when all settings are read. source says where a setting got
// its value.
func (c *Config) check(source func(name string) string) (mistakes []*Error) {
	wrongly := func(name, format string, values ...any) {
		mistakes = append(mistakes, &Error{source(name), fmt.Sprintf(format, values...)})
	}
	loopback := isLoopback(c.Listen)
	if !c.InsecureNoAuth && !c.Authenticates() {
		switch {
		case !loopback:
			wrongly("listen", "%q is reachable from other machines without authentication: set --token-file, listen on 127.0.0.1 behind a proxy that authenticates, or set --insecure-no-auth", c.Listen)
		case len(c.TrustedProxies) > 0:
			wrongly("trusted-proxies", "clients reach %q through the proxy and need no credentials: set --token-file, or --auth-header if the proxy authenticates, or --insecure-no-auth", c.Listen)
		}
	}
	c.Listener.check(c.Listen, wrongly)
	mistakes = append(mistakes, c.checkAccess(wrongly)...)
	c.Egress.check(wrongly)
	c.Tracing.check(wrongly)
	if c.MaxParked > c.MaxSessions {
		wrongly("max-parked", "%d is more than the %d of --max-sessions, which counts them too", c.MaxParked, c.MaxSessions)
	}
	if c.WebR != "" {
		if problem := folderWith(c.WebR, "webr.js"); problem != "" {
			wrongly("webr", "%q %s: want the folder dist of the npm package webr", c.WebR, problem)
		}
	}
	if c.AssetsDir != "" {
		if problem := folderWith(c.AssetsDir, ""); problem != "" {
			wrongly("assets-dir", "%q %s: want the folder that the build fills, such as server/gateway/assets/dist", c.AssetsDir, problem)
		}
	}
	c.warn(loopback, source)
	return mistakes
}

// warn adds what looks like a mistake and is none for sure.
func (c *Config) warn(loopback bool, source func(name string) string) {
	switch {
	case c.InsecureNoAuth && c.Authenticates():
		c.Warnings = append(c.Warnings, source("insecure-no-auth")+" changes nothing: clients must authenticate")
	case c.InsecureNoAuth && loopback && len(c.TrustedProxies) == 0:
		c.Warnings = append(c.Warnings, source("insecure-no-auth")+" changes nothing: "+c.Listen+" is loopback")
	}
	if c.Empty {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %q holds no setting and no policy", source("config"), c.File))
	}
	c.warnOfShortDrain(source)
	c.warnOfMetadata()
	c.warnOfReadable(source)
	if c.Tracing.inTheClear() {
		c.Warnings = append(c.Warnings, source("otlp-endpoint")+": the headers of "+c.Tracing.HeadersFile+" go to "+c.Tracing.Endpoint+" without TLS, and any host on the path can read them")
	}
	for _, pattern := range c.AllowOrigins {
		if pattern.String() == "*" {
			c.Warnings = append(c.Warnings, source("allow-origin")+": * lets every website that a user visits open connections from this machine")
		}
	}
}

// isLoopback reports whether only this machine can reach the address. A name other than
// localhost can mean anything.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// folderWith says what is wrong with a folder that should hold that file, or "".
func folderWith(dir, file string) string {
	switch info, err := os.Stat(dir); {
	case err != nil:
		return "cannot be read (" + reason(err) + ")"
	case !info.IsDir():
		return "is not a folder"
	}
	if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
		return "has no " + file
	}
	return ""
}

// reason is the system's word without operation and path, which the message has already.
func reason(err error) string {
	if pathError, ok := err.(*os.PathError); ok {
		err = pathError.Err
	}
	return err.Error()
}
