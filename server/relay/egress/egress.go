// Package egress connects to targets, and opens sockets for datagrams: directly, from a source
// address or an interface of choice, or through an upstream proxy (HTTP CONNECT or SOCKS5).
//
// The policy decides on addresses, so names end before this package: a dialer is given
// the address that the name has resolved to and a check, which runs on the very address
// that is dialed or that the proxy is asked for. A proxy is never asked for a name,
// because then the proxy would resolve it again, to what the check has not seen.
package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// Dialer connects to targets. Any number of goroutines may use one.
type Dialer interface {
	// DialContext connects to addr, once check has returned nil for it. host is what addr
	// was resolved from, or zero; it is never connected to, and only decides whether a
	// proxy of the environment is used. The connection is a Conn, and the caller's to
	// close.
	//
	// errors.As finds the error of check in what is returned for it. Where it finds a
	// *wire.Error of this package, that one's code and text are what the page may know,
	// and the error's own text is for the log: it names the proxy. Others are errors of
	// the system or the cause of ctx.
	DialContext(ctx context.Context, host wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (Conn, error)
	// DialUDP connects a socket for datagrams likewise. It does not wait, and it never sends
	// broadcasts.
	DialUDP(host wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (*net.UDPConn, error)
	// ListenUDP opens sockets for datagrams on a free port: one, or one for each family. The
	// caller asks the policy about each target, and closes them.
	ListenUDP() ([]*net.UDPConn, error)
	// BindUDP opens a socket for datagrams at an address of this machine, likewise. network is
	// "udp", "udp4" or "udp6".
	BindUDP(network string, at netip.AddrPort) (*net.UDPConn, error)
}

// Conn is a connection to a target. RemoteAddr is the target's address, also behind a
// proxy, and LocalAddr is the one that the target sees, or nil if the proxy does not
// tell; both are of the type *net.TCPAddr.
type Conn interface {
	net.Conn
	CloseWrite() error
	SetLinger(seconds int) error
	SetNoDelay(on bool) error
	SetKeepAliveConfig(config net.KeepAliveConfig) error
	SyscallConn() (syscall.RawConn, error) // of the socket: the target's, or the proxy's
}

var _ Conn = (*net.TCPConn)(nil)

// FromEnvironment is the Config.Proxy that stands for the proxies of the environment.
const FromEnvironment = "environment"

// KeepAlive is the keepalive of connections to targets, until SetKeepAliveConfig changes it. It
// finds targets that are gone without a word, within two minutes. Between the probes of an idle
// connection is a whole minute, because a server may hold many thousands of them.
var KeepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 15 * time.Second, Count: 4}

// Config says how targets are connected to. The zero value connects directly.
type Config struct {
	// Proxy is http://, https://, socks5:// or socks5h://[USER:PASSWORD@]HOST[:PORT], all
	// with the same meaning of names: they are resolved here. Or FromEnvironment: then
	// HTTPS_PROXY, else ALL_PROXY, is for every target but loopback and those of
	// NO_PROXY. Empty: no proxy.
	Proxy string
	// CredentialsFile holds USER:PASSWORD for the proxy, in its first line; empty: those
	// of the URL, if any.
	CredentialsFile string
	// Source are the addresses to connect from, at most one of IPv4 and one of IPv6; if
	// only one is given, targets of the other family are not connected to. Empty: the
	// system chooses.
	Source []netip.Addr
	// Interface is the network interface to connect through; empty: the system chooses.
	// On Linux before 5.7 it needs CAP_NET_RAW.
	Interface string
	// TLS is for https proxies; nil: the system's certificates.
	TLS *tls.Config
	// Getenv reads the environment; nil: os.Getenv.
	Getenv func(string) string
}

// New returns the dialer of a configuration. Errors name the setting that is wrong and no password.
func New(config Config) (Dialer, error) {
	direct, err := newDirect(config.Source, config.Interface)
	if err != nil {
		return nil, err
	}
	getenv := config.Getenv
	if getenv == nil {
		getenv = os.Getenv
	}
	switch config.Proxy {
	case "":
		if config.CredentialsFile != "" {
			return nil, errors.New("there are credentials for a proxy, but there is no proxy")
		}
		return direct, nil
	case FromEnvironment:
		return newEnvironment(direct, config, getenv)
	}
	u, err := parseProxy(config.Proxy)
	if err != nil {
		return nil, fmt.Errorf("the proxy %w", err)
	}
	return newProxy(direct, u, config)
}

// told is an error whose code and text the page may know and whose cause is for the log.
func told(code wire.Code, text string, cause error) error {
	return fmt.Errorf("%w: %w", wire.NewError(code, text), cause)
}

// ended is the error when ctx has ended an attempt.
func ended(ctx context.Context) error {
	return fmt.Errorf("connecting through the upstream proxy: %w", context.Cause(ctx))
}
