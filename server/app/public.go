package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/listener"
)

// publicListener is where clients connect: the listener, its certificates, and port 80 of ACME.
// The caller closes it with close.
type publicListener struct {
	net.Listener
	base         string                 // URL without path, for a person at this machine or at the certificate's name
	certificates *listener.Certificates // nil: TLS does not end here, or by ACME
	challenges   *http.Server           // nil: there is none

	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// openCertificates reads the certificates from files, if the settings name some; otherwise it
// returns nil.
func openCertificates(settings *config.Config, logger *slog.Logger) (*listener.Certificates, error) {
	if settings.TLS.Cert == "" {
		return nil, nil
	}
	return listener.LoadCertificates(settings.TLS, logger)
}

// openPublic listens as the settings say, with the certificates of openCertificates. changed is
// called when these have changed.
func openPublic(ctx context.Context, settings *config.Config, certificates *listener.Certificates, changed func(), own shares, logger *slog.Logger) (*publicListener, error) {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &publicListener{certificates: certificates, stop: stop}
	if err := p.open(ctx, settings, own, logger); err != nil {
		p.close()
		return nil, err
	}
	if certificates != nil {
		p.tasks.Go(func() { certificates.Watch(life, changed) })
	}
	return p, nil
}

// open listens.
func (p *publicListener) open(ctx context.Context, settings *config.Config, own shares, logger *slog.Logger) (err error) {
	var secure *tls.Config
	scheme, name := "http://", ""
	switch {
	case p.certificates != nil:
		scheme, secure = "https://", p.certificates.Config()
	case len(settings.ACME.Hosts) > 0:
		scheme, name = "https://", settings.ACME.Hosts[0]
		if secure, err = p.startACME(ctx, settings, own, logger); err != nil {
			return err
		}
	}
	wanted := listener.Config{Address: settings.Listen, TLS: secure, MSS: settings.MSS, Unfold: settings.TrustedProxies, Logger: logger, Relieve: own.plain.Relieve}
	if settings.ProxyProtocol {
		wanted.ProxyProtocol = settings.TrustedProxies
	}
	if p.Listener, err = listener.Listen(ctx, wanted); err != nil {
		return err
	}
	p.base = scheme + hostPort(p.Addr(), name)
	return nil
}

// startACME makes the source of certificates and opens port 80, if that is wanted.
func (p *publicListener) startACME(ctx context.Context, settings *config.Config, own shares, logger *slog.Logger) (*tls.Config, error) {
	source := settings.ACME
	if source.Cache == "" {
		folder, err := stateFolder()
		if err != nil {
			return nil, fmt.Errorf("no folder for the certificates of --acme: %w: name one with --acme-cache", err)
		}
		source.Cache = filepath.Join(folder, "acme")
	}
	acme, err := listener.NewACME(source)
	if err != nil {
		return nil, err
	}
	logger.Info("certificates by ACME", "hosts", source.Hosts, "cache", source.Cache)
	if settings.ACMEHTTP == "" {
		return acme.Config(), nil
	}
	port80, err := new(net.ListenConfig).Listen(ctx, "tcp", settings.ACMEHTTP)
	if err != nil {
		return nil, fmt.Errorf("--acme-http: %w", err)
	}
	p.challenges = newHTTPServer(context.WithoutCancel(ctx), acme.Challenges(), logger)
	p.challenges.WriteTimeout = writeTimeout
	p.challenges.ConnState = own.connections.State
	p.tasks.Go(func() {
		if err := p.challenges.Serve(port80); !errors.Is(err, http.ErrServerClosed) {
			logger.Error("the listener of --acme-http has ended: certificates are still had over port 443", "error", err)
		}
	})
	return acme.Config(), nil
}

// writeTimeout is for servers whose answers are a line.
const writeTimeout = 30 * time.Second

// close closes what http.Server does not, and waits for it.
func (p *publicListener) close() {
	p.stop()
	if p.challenges != nil {
		_ = p.challenges.Close() // its errors are those of connections that are cut anyway
	}
	if p.Listener != nil {
		_ = p.Listener.Close() // an http.Server may have done it already
	}
	p.tasks.Wait()
}

// expires is when the certificate from files ends; nil where there is none.
func (p *publicListener) expires() func() time.Time {
	if p.certificates == nil {
		return nil
	}
	return p.certificates.Expires
}

// stateFolder is where the service may keep files: systemd names it (StateDirectory=),
// otherwise it is the user's cache.
func stateFolder() (string, error) {
	if list := filepath.SplitList(os.Getenv("STATE_DIRECTORY")); len(list) > 0 {
		return list[0], nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "sockmux"), err
}

// hostPort is the host of a URL: a name if there is one, otherwise an address that
// a person at this machine reaches. Ports that stand for themselves stay.
func hostPort(address net.Addr, name string) string {
	host, port := "127.0.0.1", "0"
	if tcp, ok := address.(*net.TCPAddr); ok {
		port = fmt.Sprint(tcp.Port)
		if !tcp.IP.IsUnspecified() {
			host = tcp.IP.String()
		}
	}
	if name != "" && port == "443" {
		return name
	}
	return net.JoinHostPort(cmp.Or(name, host), port)
}
