package egress

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
)

// defaultPorts are those that programs assume for proxies.
var defaultPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// maxCredential bounds user and password (RFC 1929, section 2).
const maxCredential = 255

// parseProxy reads the URL of a proxy. Errors begin behind the name of the setting.
func parseProxy(text string) (*url.URL, error) {
	const want = "want http://, https:// or socks5://[USER:PASSWORD@]HOST[:PORT]"
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("is not a URL: " + want) // the parser's error would quote it, password and all
	}
	port, portErr := strconv.ParseUint(cmp.Or(u.Port(), defaultPorts[u.Scheme]), 10, 16)
	if defaultPorts[u.Scheme] == "" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || portErr != nil || port == 0 {
		return nil, fmt.Errorf("%q is not a proxy URL: %s", u.Redacted(), want)
	}
	return u, nil
}

// credentials are a user's at a proxy.
type credentials struct{ user, password string }

// credentialsOf returns the credentials of the file or of the URL; nil if there are none.
func credentialsOf(u *url.URL, file string) (*credentials, error) {
	var c credentials
	from := "its URL"
	switch {
	case file != "" && u.User != nil:
		return nil, fmt.Errorf("the proxy %q has credentials in its URL and in the file %s: want one of them", u.Redacted(), file)
	case file != "":
		text, err := firstLine(file)
		if err != nil {
			return nil, fmt.Errorf("the proxy's credentials: %w", err)
		}
		var found bool
		if c.user, c.password, found = strings.Cut(text, ":"); !found {
			return nil, fmt.Errorf("the proxy's credentials: %s: want USER:PASSWORD in the first line", file)
		}
		from = file
	case u.User != nil:
		c.user = u.User.Username()
		c.password, _ = u.User.Password()
	default:
		return nil, nil
	}
	for what, value := range map[string]string{"user": c.user, "password": c.password} {
		if len(value) > maxCredential || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("the proxy's credentials: %s: the %s has more than %d bytes or control characters", from, what, maxCredential)
		}
	}
	if c.user == "" || strings.HasPrefix(u.Scheme, "http") && strings.Contains(c.user, ":") {
		return nil, fmt.Errorf("the proxy's credentials: %s: the user is empty or has a colon", from)
	}
	return &c, nil
}

func firstLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	line, err := bufio.NewReader(io.LimitReader(file, 2*maxCredential+3)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// proxy connects through a proxy.
type proxy struct {
	direct  *direct
	address string
	name    string      // for logs
	tls     *tls.Config // nil: without
	// ask asks for a connection to addr on one to the proxy. It returns the address that
	// the target sees, if the proxy tells. It reads no byte beyond the proxy's answer.
	ask func(conn net.Conn, addr netip.AddrPort) (netip.AddrPort, error)
}

func newProxy(d *direct, u *url.URL, config Config) (*proxy, error) {
	c, err := credentialsOf(u, config.CredentialsFile)
	if err != nil {
		return nil, err
	}
	p := &proxy{
		direct:  d,
		address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), defaultPorts[u.Scheme])),
		name:    u.Scheme + "://" + u.Host,
	}
	switch u.Scheme {
	case "https":
		p.tls = &tls.Config{}
		if config.TLS != nil {
			p.tls = config.TLS.Clone()
		}
		p.tls.ServerName = cmp.Or(p.tls.ServerName, u.Hostname())
		p.tls.NextProtos = []string{"http/1.1"}
		p.ask = connect(c)
	case "http":
		p.ask = connect(c)
	default:
		p.ask = socks5(c)
	}
	return p, nil
}

// DialContext asks the proxy for the address that check has seen, as an address.
func (p *proxy) DialContext(ctx context.Context, _ wire.Host, addr netip.AddrPort, check func(netip.AddrPort) error) (Conn, error) {
	if err := check(addr); err != nil {
		return nil, err
	}
	if addr.Addr().Zone() != "" {
		return nil, wire.NewError(wire.AddressNotAvailable, fmt.Sprintf("%s: a zone means nothing behind the upstream proxy", addr))
	}
	conn, err := p.direct.dialProxy(ctx, p.address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		return nil, told(wire.NetworkUnreachable, "the server cannot reach its upstream proxy", fmt.Errorf("%s: %w", p.name, err))
	}
	through, err := p.handshake(ctx, conn, addr)
	if err != nil {
		_ = conn.Close()
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		var own *wire.Error
		if errors.As(err, &own) {
			return nil, fmt.Errorf("%w (%s)", err, p.name)
		}
		return nil, told(wire.Internal, "the server's upstream proxy does not answer as a proxy", fmt.Errorf("%s: %w", p.name, err))
	}
	return through, nil
}

// handshake makes of a connection to the proxy one to the target. If ctx ends meanwhile
// the connection is of no use.
func (p *proxy) handshake(ctx context.Context, conn Conn, addr netip.AddrPort) (Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // the past: reads and writes end
	defer stop()
	through := conn
	if p.tls != nil {
		secure := tls.Client(conn, p.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		through = tlsConn{secure, through}
	}
	bound, err := p.ask(through, addr)
	if err != nil {
		return nil, err
	}
	if !stop() {
		return nil, context.Cause(ctx) // the deadline is set, or about to be
	}
	c := proxied{Conn: through, remote: net.TCPAddrFromAddrPort(addr)}
	if bound.IsValid() && !bound.Addr().IsUnspecified() {
		c.local = net.TCPAddrFromAddrPort(bound)
	}
	return c, nil
}

// proxied is a connection whose ends are those that matter: this server's address at the
// proxy stays secret.
type proxied struct {
	Conn
	remote, local *net.TCPAddr
}

func (c proxied) RemoteAddr() net.Addr { return c.remote }

func (c proxied) LocalAddr() net.Addr {
	if c.local == nil {
		return nil
	}
	return c.local
}

// tlsConn is a connection to an https proxy.
type tlsConn struct {
	*tls.Conn
	tcp Conn
}

func (c tlsConn) SetLinger(seconds int) error { return c.tcp.SetLinger(seconds) }
func (c tlsConn) SetNoDelay(on bool) error    { return c.tcp.SetNoDelay(on) }
func (c tlsConn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	return c.tcp.SetKeepAliveConfig(config)
}
func (c tlsConn) SyscallConn() (syscall.RawConn, error) { return c.tcp.SyscallConn() }
