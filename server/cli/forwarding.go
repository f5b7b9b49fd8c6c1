package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/internal/forward"
	"github.com/sockmux/sockmux/internal/serverurl"
)

// clientUsage are the flags of every command that is a client of a server.
const clientUsage = "--server URL [--token-from FILE] [--ca FILE] [--cert FILE --key FILE]"

// clientFlags are their names.
var clientFlags = []string{"server", "token-from", "ca", "cert", "key"}

// tokenVariable has the token where no file has it.
const tokenVariable = "SOCKMUX_TOKEN"

// socksCommand serves SOCKS to local programs, as ssh -D does.
func socksCommand(ctx context.Context, c call) error {
	const name = "socks"
	words, values, err := split(name, c.args, append(clientFlags, "listen")...)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return misused(name, "%s: not expected", words[0])
	}
	address, given := values["listen"]
	if !given {
		address = "127.0.0.1:1080"
	}
	return serveLocally(ctx, c, name, values, address, forward.SOCKS)
}

// forwardCommand forwards a local port, or standard input and output, to a target, as ssh -L
// and ssh -W do.
func forwardCommand(ctx context.Context, c call) error {
	const name = "forward"
	words, values, err := split(name, c.args, clientFlags...)
	if err != nil {
		return err
	}
	if len(words) != 2 {
		return misused(name, "want a local address and a target")
	}
	local, target := words[0], words[1]
	if _, _, err := net.SplitHostPort(target); err != nil {
		return misused(name, "%q is not a target", target)
	}
	if local == "-" {
		return forwardStandard(ctx, c, name, values, target)
	}
	if _, err := strconv.ParseUint(local, 10, 16); err == nil {
		local = net.JoinHostPort("127.0.0.1", local)
	}
	return serveLocally(ctx, c, name, values, local, func(d *sockmux.Dialer, log *slog.Logger) forward.Handler {
		return forward.To(d, target, log)
	})
}

// serveLocally listens at an address until a signal comes or ctx ends.
func serveLocally(ctx context.Context, c call, name string, values map[string]string, address string, handler func(*sockmux.Dialer, *slog.Logger) forward.Handler) error {
	return withDialer(ctx, c, name, values, func(ctx context.Context, dialer *sockmux.Dialer) error {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		fmt.Fprintln(c.stdout, listener.Addr())
		log := slog.New(slog.NewTextHandler(c.stderr, nil))
		return forward.Serve(ctx, listener.(*net.TCPListener), handler(dialer, log))
	})
}

// forwardStandard joins standard input and output with a target: the ProxyCommand of ssh.
func forwardStandard(ctx context.Context, c call, name string, values map[string]string, target string) error {
	return withDialer(ctx, c, name, values, func(ctx context.Context, dialer *sockmux.Dialer) error {
		conn, err := dialer.DialContext(ctx, "tcp", target)
		if err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // fails only where it is closed
		return forward.Join(forward.Standard(os.Stdin, os.Stdout), conn.(*sockmux.Conn))
	})
}

// withDialer calls run with the dialer that the flags describe, and closes it. The context of
// run ends with a signal too.
func withDialer(ctx context.Context, c call, name string, values map[string]string, run func(context.Context, *sockmux.Dialer) error) error {
	dialer, err := dialerFrom(c, name, values)
	if err != nil {
		return err
	}
	defer dialer.Close() // it returns nil
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, dialer)
}

// dialerFrom returns the dialer that the flags describe.
func dialerFrom(c call, name string, values map[string]string) (*sockmux.Dialer, error) {
	server, given := values["server"]
	if !given {
		return nil, misused(name, "--server is missing")
	}
	if _, err := serverurl.Parse(server); err != nil {
		return nil, misused(name, "--server: %v", err)
	}
	token, err := tokenFrom(c, values["token-from"])
	if err != nil {
		return nil, err
	}
	client, err := httpClientFrom(name, values)
	if err != nil {
		return nil, err
	}
	d := &sockmux.Dialer{URL: server, Token: token, Handshake: sockmux.Handshake{Client: client}}
	d.OnNotice = func(text string) { fmt.Fprintln(c.stderr, "sockmux:", text) }
	return d, nil
}

// tokenFrom returns the first line of a file, or what the environment has.
func tokenFrom(c call, file string) (string, error) {
	if file == "" {
		for _, variable := range c.environment {
			if name, value, _ := strings.Cut(variable, "="); name == tokenVariable {
				return value, nil
			}
		}
		return "", nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("--token-from: %w", err)
	}
	defer f.Close() // it was only read
	token, err := readToken(f)
	if err != nil {
		return "", fmt.Errorf("--token-from %s: the token is missing", file)
	}
	return token, nil
}

// httpClientFrom returns nil where no flag asks for more than the default.
func httpClientFrom(name string, values map[string]string) (*http.Client, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := values["ca"]; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ca %s: there is no certificate", file)
		}
	}
	cert, key := values["cert"], values["key"]
	if (cert == "") != (key == "") {
		return nil, misused(name, "--cert and --key belong together")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("--cert: %w", err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	if settings.RootCAs == nil && cert == "" {
		return nil, nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = settings
	transport.DisableKeepAlives = true
	return &http.Client{Transport: transport}, nil
}
