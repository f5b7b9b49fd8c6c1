package listener

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// cacheMode is for the folder that holds private keys.
const cacheMode = 0o700

// ACMEConfig says how certificates are had from an authority (RFC 8555).
type ACMEConfig struct {
	Hosts     []string // names to get certificates for; no other name is asked for, whatever a client says
	Cache     string   // folder for keys and certificates; made if it is missing
	Email     string   // for the authority's notices; empty: none
	Directory string   // URL of the authority; empty: Let's Encrypt
	Client    *http.Client
}

// ACME gets certificates when they are first asked for and renews them a month before
// their end. Its use means agreement to the authority's terms.
type ACME struct{ manager *autocert.Manager }

// NewACME checks the configuration and the folder. Nothing is asked of the authority yet.
func NewACME(config ACMEConfig) (*ACME, error) {
	if len(config.Hosts) == 0 {
		return nil, errors.New("acme: no host is named")
	}
	for _, host := range config.Hosts {
		if err := CheckHost(host); err != nil {
			return nil, fmt.Errorf("acme: %q: %w", host, err)
		}
	}
	if config.Cache == "" {
		return nil, errors.New("acme: a folder for keys and certificates is needed: authorities give few certificates a week to those who keep none")
	}
	if err := checkCache(config.Cache); err != nil {
		return nil, err
	}
	manager := &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      autocert.DirCache(config.Cache),
		HostPolicy: autocert.HostWhitelist(config.Hosts...),
		Email:      config.Email,
	}
	if config.Directory != "" || config.Client != nil {
		manager.Client = &acme.Client{DirectoryURL: config.Directory, HTTPClient: config.Client}
		if config.Directory == "" {
			manager.Client.DirectoryURL = autocert.DefaultACMEDirectory
		}
	}
	return &ACME{manager: manager}, nil
}

// CheckHost finds names that no authority gives a certificate for in this way. The error
// does not repeat the name.
func CheckHost(host string) error {
	switch {
	case strings.HasPrefix(host, "*."):
		return errors.New("wildcards need a DNS challenge, which is not spoken: name each host")
	case strings.Trim(host, hostLetters) != "" || !strings.Contains(host, ".") || strings.Trim(host, "0123456789.") == "":
		return errors.New("no host name: write one such as tunnel.example.org, without scheme and port, in punycode")
	}
	return nil
}

// hostLetters are those of host names (RFC 1123, 2.1).
const hostLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-."

// checkCache finds out now whether a certificate could be kept, and not when the
// authority has given one.
func checkCache(folder string) error {
	if err := os.MkdirAll(folder, cacheMode); err != nil {
		return fmt.Errorf("acme: %w", err)
	}
	probe := filepath.Join(folder, ".writable")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return fmt.Errorf("acme: %w", err)
	}
	return os.Remove(probe)
}

// Config returns what the listener needs. It answers the authority's TLS-ALPN-01
// challenges (RFC 8737), for which the authority must reach it at port 443.
func (a *ACME) Config() *tls.Config {
	config := baseConfig()
	config.NextProtos = append(config.NextProtos, acme.ALPNProto)
	config.GetCertificate = a.manager.GetCertificate
	return config
}

// Challenges is a handler for port 80: it answers HTTP-01 challenges (RFC 8555, 8.3) and
// redirects all others to https.
func (a *ACME) Challenges() http.Handler { return a.manager.HTTPHandler(nil) }
