package main

// httpsCuts holds the changes for wasm/https alone: what it never runs of net, net/http and
// crypto/tls. Its connections are streams of the page, and its URLs are the page's.
var httpsCuts = map[string]changes{
	// All connections come from Transport.DialContext. So there is nothing to resolve or to dial.
	"net": {bodies: map[string]string{
		"Dialer.DialContext":    `return nil, &OpError{Op: "dial", Net: network, Err: errMissingAddress}`,
		"Resolver.lookupIPAddr": "return nil, newDNSError(errNoSuchHost, host, \"\")",
		"ListenConfig.Listen":   `return nil, &OpError{Op: "listen", Net: network, Err: errMissingAddress}`,
	}},

	"net/http": {bodies: map[string]string{
		// The names in the page's URLs are in ASCII already.
		"idnaASCII": "return v, nil",
		"http2authorityAddr": `host, port, err := net.SplitHostPort(authority)
	if err != nil {
		host = authority
	}
	if port == "" {
		port = "443"
		if scheme == "http" {
			port = "80"
		}
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		return host + ":" + port
	}
	return net.JoinHostPort(host, port)`,

		// There is no proxy.
		"ProxyFromEnvironment":     "return nil, nil",
		"socksDialer.DialWithConn": `return nil, errors.New("leango: a proxy")`,

		// The browser's fetch is not what this program is for.
		"Transport.RoundTrip": "return t.roundTrip(req)",

		// Requests with parsed forms are a server's.
		"cloneMultipartForm": "return nil",
	}},
	"vendor/golang.org/x/net/http/httpguts": {bodies: map[string]string{
		"PunycodeHostPort": "return v, nil",
	}},

	// Encrypted Client Hello needs a setting that the program never makes, and only a server reads
	// the hello of a client.
	"crypto/hpke": {bodies: map[string]string{
		"NewSender": `return nil, nil, errors.New("leango: Encrypted Client Hello")`,
	}},
	"crypto/tls": {bodies: map[string]string{
		"parseECHConfigList":       `return nil, errors.New("leango: Encrypted Client Hello")`,
		"pickECHConfig":            "return nil, nil, nil, nil",
		"clientHelloMsg.unmarshal": "return false",
	}},
}
