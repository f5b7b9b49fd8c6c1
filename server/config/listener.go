package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/sockmux/sockmux/server/listener"
	"github.com/sockmux/sockmux/server/ops/admin"
)

// Listener says how connections arrive at the server, and where its operators look.
type Listener struct {
	TLS  listener.Files      // Cert empty: TLS does not end here, or by ACME
	ACME listener.ACMEConfig // Hosts empty: none. Cache empty: the user's or the service's own folder
	// ACMEHTTP is HOST:PORT for HTTP-01 challenges and for sending http to https; empty:
	// not listened on.
	ACMEHTTP string

	TrustedProxies listener.Proxies // that tell the client's address
	ProxyProtocol  bool             // they do so by a PROXY header

	MSS int // bytes of a TCP segment at most; 0: the system decides

	Admin         string // HOST:PORT for metrics, profiles and the status page; empty: none
	InsecureAdmin bool   // the word for letting Admin be reached from other machines
}

// listenerOf binds the settings to l.
func listenerOf(l *Listener) []setting {
	modes := map[string]listener.ClientCerts{"none": listener.NoClientCerts, "optional": listener.OptionalClientCerts, "required": listener.RequireClientCerts}
	return []setting{
		{
			group: groupListener, name: "tls-cert", hint: "FILE",
			help:  "PEM file with the server's certificate chain. The server reads it again when it changes.",
			parse: text(&l.TLS.Cert), print: one(&l.TLS.Cert),
		},
		{
			group: groupListener, name: "tls-key", hint: "FILE",
			help:  "PEM file with the private key of --tls-cert.",
			parse: text(&l.TLS.Key), print: one(&l.TLS.Key),
		},
		{
			group: groupListener, name: "tls-client-ca", hint: "FILE",
			help:  "PEM file with the CAs of client certificates. It requires --tls-client-cert.",
			parse: text(&l.TLS.ClientCA), print: one(&l.TLS.ClientCA),
		},
		{
			group: groupListener, name: "tls-client-cert", hint: "MODE",
			help:  "Client certificates: none, optional or required. With none, the server asks for no certificate. With required, it refuses clients without one.",
			parse: oneOf(&l.TLS.Clients, []string{"none", "optional", "required"}, modes), print: printed(&l.TLS.Clients, func(c listener.ClientCerts) string {
				for name, mode := range modes {
					if mode == c {
						return name
					}
				}
				return ""
			}),
		},
		{
			group: groupListener, name: "acme", hint: "HOST", repeatable: true,
			help:  "Host name to get a Let's Encrypt certificate for. You agree to its terms of service. Port 443 of that name must lead to --listen.",
			parse: each(&l.ACME.Hosts, func(host string) (string, error) { return host, listener.CheckHost(host) }),
			print: all(&l.ACME.Hosts, func(host string) string { return host }),
		},
		{
			group: groupListener, name: "acme-cache", hint: "DIR",
			help:  "Folder for keys and certificates of --acme. If not set, it is sockmux/acme in the service's state folder or the user's cache folder.",
			parse: text(&l.ACME.Cache), print: one(&l.ACME.Cache),
		},
		{
			group: groupListener, name: "acme-email", hint: "ADDRESS",
			help:  "Contact address for the ACME account. The authority writes there about problems with a certificate.",
			parse: text(&l.ACME.Email), print: one(&l.ACME.Email),
		},
		{
			group: groupListener, name: "acme-directory", hint: "URL",
			help:  "Directory URL of another ACME authority.",
			parse: httpsURL(&l.ACME.Directory), print: one(&l.ACME.Directory),
		},
		{
			group: groupListener, name: "acme-http", hint: "HOST:PORT",
			help:  "Address that port 80 leads to, such as :80. It answers HTTP-01 challenges and redirects browsers to https.",
			parse: optional(listenAddress(&l.ACMEHTTP), &l.ACMEHTTP), print: one(&l.ACMEHTTP),
		},
		{
			group: groupListener, name: "trusted-proxies", hint: "ADDRESS", repeatable: true,
			help:  "Address or block of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted: 127.0.0.1, 10.0.0.0/8.",
			parse: each((*[]netip.Prefix)(&l.TrustedProxies), listener.ParseProxy), print: all((*[]netip.Prefix)(&l.TrustedProxies), netip.Prefix.String),
		},
		{
			group: groupListener, name: "proxy-protocol",
			help:  "Require a PROXY protocol header, version 1 or 2, on every connection from --trusted-proxies.",
			parse: boolean(&l.ProxyProtocol), print: printed(&l.ProxyProtocol, strconv.FormatBool),
		},
		{
			group: groupListener, name: "tcp-mss", hint: "BYTES",
			help:  "Maximum size of the TCP segments of clients' connections, for paths that drop longer packets. 1200 fits most paths. 0 leaves it to the system. Linux only.",
			parse: segment(&l.MSS), print: printed(&l.MSS, strconv.Itoa),
		},
		{
			group: groupAdmin, name: "admin", hint: "HOST:PORT",
			help:  "Address for operators, such as 127.0.0.1:9090. It serves the status page, /metrics, /debug/pprof, /healthz and /readyz.",
			parse: optional(listenAddress(&l.Admin), &l.Admin), print: one(&l.Admin),
		},
		{
			group: groupAdmin, name: "insecure-admin",
			help:  "Allow --admin beyond loopback. It has no authentication and shows targets and clients.",
			parse: boolean(&l.InsecureAdmin), print: printed(&l.InsecureAdmin, strconv.FormatBool),
		},
	}
}

// Bounds of --tcp-mss.
const (
	minSegment = 536   // what every host takes (RFC 9293, section 3.7.1)
	maxSegment = 32767 // of Linux
)

// segment takes a number of bytes, or 0.
func segment(to *int) parser {
	return func(text string) error {
		if text == "0" {
			*to = 0
			return nil
		}
		if integer(to, minSegment, maxSegment)(text) != nil {
			return wrong(text, "is out of range", fmt.Sprintf("a whole number from %d to %d, or 0 for what the system decides", minSegment, maxSegment))
		}
		return nil
	}
}

// optional makes a parser that takes the empty text as none.
func optional(parse parser, to *string) parser {
	return func(text string) error {
		if text == "" {
			*to = ""
			return nil
		}
		return parse(text)
	}
}

// httpsURL takes an https URL, or the empty text for none.
func httpsURL(to *string) parser {
	return func(text string) error {
		u, err := url.Parse(text)
		if text != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			return wrong(text, "is not an https URL", "one such as https://ca.example.org/directory")
		}
		*to = text
		return nil
	}
}

// check finds what the settings only show together. Certificates are read, so that a
// wrong file is found before a restart and not by it.
func (l *Listener) check(listen string, wrongly func(name, format string, values ...any)) {
	switch {
	case l.TLS.Cert != "" && len(l.ACME.Hosts) > 0:
		wrongly("acme", "%s: the certificate cannot come from --tls-cert as well: choose one", strings.Join(l.ACME.Hosts, ", "))
	case l.TLS.Cert != "" && l.TLS.Key == "":
		wrongly("tls-cert", "%q needs its key: set --tls-key", l.TLS.Cert)
	case l.TLS.Cert == "" && l.TLS.Key != "":
		wrongly("tls-key", "%q needs its certificate: set --tls-cert", l.TLS.Key)
	case l.TLS.Cert == "" && l.TLS.Clients != listener.NoClientCerts:
		wrongly("tls-client-cert", "client certificates need TLS in this server: set --tls-cert")
	case l.TLS.Clients != listener.NoClientCerts && l.TLS.ClientCA == "":
		wrongly("tls-client-cert", "client certificates need a CA: set --tls-client-ca")
	case l.TLS.Clients == listener.NoClientCerts && l.TLS.ClientCA != "":
		wrongly("tls-client-ca", "%q does nothing while clients are not asked for a certificate: set --tls-client-cert optional or required", l.TLS.ClientCA)
	case l.TLS.Cert != "":
		if _, err := listener.LoadCertificates(l.TLS, nil); err != nil {
			wrongly("tls-cert", "%v", err)
		}
	}
	if l.ACMEHTTP != "" && len(l.ACME.Hosts) == 0 {
		wrongly("acme-http", "%q does nothing without --acme", l.ACMEHTTP)
	}
	if l.ProxyProtocol && len(l.TrustedProxies) == 0 {
		wrongly("proxy-protocol", "no proxy may send the header: set --trusted-proxies")
	}
	if l.MSS > 0 && !listener.CanBoundSegments {
		wrongly("tcp-mss", "%d: only Linux bounds the segments of connections that it accepts", l.MSS)
	}
	if l.Admin == "" {
		return
	}
	if err := admin.CheckAddress(l.Admin, l.InsecureAdmin); err != nil {
		wrongly("admin", "%v", err)
	}
	if l.Admin == listen && !strings.HasSuffix(listen, ":0") {
		wrongly("admin", "%q is the address of --listen: operators need one of their own", l.Admin)
	}
}
