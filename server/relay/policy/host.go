package policy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sockmux/sockmux/shared/wire"
)

// Lengths of names and of their labels in bytes (RFC 1035, 2.3.4; without the trailing dot).
const (
	maxName  = 253
	maxLabel = 63
)

// ValidHost reports whether a host as a page asked for it is well formed: an IPv4 address
// of four decimal numbers, an IPv6 address without brackets and zone, or a DNS name of
// letters, digits, hyphens and underscores. The error is a *wire.Error with the code
// invalid_request.
//
// Names that end in a number ("127.1", "2130706433", "0x7f000001", "0177.0.0.1") are
// refused: the resolver of a system may read them as addresses, and no top-level domain
// is a number. Names beyond ASCII are refused: how they become ASCII (IDNA) is decided in
// the page.
func ValidHost(host wire.Host) error {
	var err error
	if addr := host.Addr(); !addr.IsValid() {
		err = validName(host.Name())
	} else if addr.Zone() != "" {
		err = errors.New("has a zone")
	}
	if err != nil {
		return &wire.Error{Code: wire.InvalidRequest, Text: fmt.Sprintf("host %q %v", excerpt(host.String()), err)}
	}
	return nil
}

// excerpt keeps error texts short whatever the page sent.
func excerpt(host string) string {
	const most = 80
	if len(host) <= most {
		return host
	}
	return host[:most] + "..."
}

// validName checks a DNS name, with or without its trailing dot. Its errors follow the
// name in a sentence.
func validName(name string) error {
	if len(name) == 0 || len(name) > maxName {
		return fmt.Errorf("has %d bytes; want 1 to %d", len(name), maxName)
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return errors.New("is not ASCII; use its punycode form (xn--...)")
		}
	}
	labels := strings.Split(strings.TrimSuffix(name, "."), ".")
	for _, label := range labels {
		switch {
		case len(label) == 0 || len(label) > maxLabel:
			return fmt.Errorf("has a label of %d bytes; want 1 to %d", len(label), maxLabel)
		case strings.Trim(label, nameLetters) != "":
			return errors.New("has characters that no name has; want letters, digits, - and _")
		case label[0] == '-' || label[len(label)-1] == '-':
			return errors.New("has a label that begins or ends with -")
		}
	}
	if isNumber(labels[len(labels)-1]) {
		return errors.New("ends in a number but is not an IPv4 address of four decimal numbers")
	}
	return nil
}

const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// isNumber tells what inet_aton and the WHATWG URL standard ("ends in a number") take for
// a number: decimal, octal or hexadecimal digits.
func isNumber(label string) bool {
	if rest, ok := strings.CutPrefix(strings.ToLower(label), "0x"); ok {
		return strings.Trim(rest, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// canonical is the form in which names are compared.
func canonical(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
