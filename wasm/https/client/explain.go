package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/sockmux/sockmux/shared/wire"
	"github.com/sockmux/sockmux/wasm/https/streams"
)

// explain returns a code for an error, and says in words what is wrong.
func explain(err error) (wire.Code, string) {
	var (
		stream    *streams.Error
		handshake *handshakeError
		timeout   interface{ Timeout() bool }
	)
	switch {
	case errors.Is(err, context.Canceled):
		return wire.Aborted, ""
	case errors.As(err, &stream):
		if errors.As(err, &handshake) && stream.Code == wire.Aborted {
			return wire.Protocol, "TLS: the server ended the connection within the handshake"
		}
		return stream.Code, stream.Text
	case errors.As(err, &handshake):
		return explainHandshake(handshake)
	case errors.As(err, &timeout) && timeout.Timeout():
		return wire.TimedOut, "the server did not answer in time"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return wire.Protocol, "the server ended the connection within its answer"
	}
	return wire.Protocol, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "net/http: "), "http: ")
}

// remote is what crypto/tls puts in front of an alert of the server.
const remote = "remote error: "

func explainHandshake(e *handshakeError) (wire.Code, string) {
	var (
		invalid  x509.CertificateInvalidError
		hostname x509.HostnameError
		unknown  x509.UnknownAuthorityError
		record   tls.RecordHeaderError
		pin      *pinError
		verify   *tls.CertificateVerificationError
	)
	text := e.err.Error()
	switch {
	case e.err == errHandshakeTimeout:
		return wire.TimedOut, "TLS: " + text
	case errors.As(e.err, &record):
		text = "the server does not speak TLS at this port"
	case errors.Is(e.err, io.EOF), errors.Is(e.err, io.ErrUnexpectedEOF):
		text = "the server ended the connection within the handshake"
	case strings.HasPrefix(text, remote):
		text = "the server refused the handshake: " + strings.TrimPrefix(text[len(remote):], "tls: ")
	case errors.As(e.err, &pin):
		text = "no key of the certificates of " + e.host + " is pinned; that of the server is sha256/" + pin.have
	case errors.As(e.err, &invalid):
		text = "the certificate of " + e.host + " " + explainInvalid(invalid, time.Now())
	case errors.As(e.err, &hostname):
		text = "the certificate is not for " + e.host + namesOf(hostname.Certificate)
	case errors.As(e.err, &unknown):
		text = "the certificate of " + e.host + " was signed by an unknown authority"
		if errors.As(e.err, &verify) {
			text = explainUnknown(e.host, verify.UnverifiedCertificates)
		}
	default:
		text = strings.TrimPrefix(text, "tls: ")
	}
	return wire.Protocol, "TLS: " + text
}

func explainInvalid(e x509.CertificateInvalidError, now time.Time) string {
	which := ""
	if e.Cert != nil && e.Cert.IsCA {
		which = "has an authority (" + e.Cert.Subject.CommonName + ") that "
	}
	switch {
	case e.Reason == x509.Expired && e.Cert != nil && now.Before(e.Cert.NotBefore):
		return which + "is not valid before " + e.Cert.NotBefore.UTC().Format(time.DateTime) + " UTC"
	case e.Reason == x509.Expired && e.Cert != nil:
		return which + "has expired: it was valid until " + e.Cert.NotAfter.UTC().Format(time.DateTime) + " UTC"
	}
	return which + "is invalid: " + strings.TrimPrefix(e.Error(), "x509: ")
}

// namesOf lists some of the names of a certificate.
func namesOf(cert *x509.Certificate) string {
	const most = 5
	names := cert.DNSNames
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	switch {
	case len(names) == 0:
		return ": it has no names"
	case len(names) > most:
		return ": it is for " + strings.Join(names[:most], ", ") + " and others"
	}
	return ": it is for " + strings.Join(names, ", ")
}

func explainUnknown(host string, certs []*x509.Certificate) string {
	for _, cert := range certs {
		switch cert.SignatureAlgorithm {
		case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
			return "the certificate of " + host + " has a weak signature: " + cert.SignatureAlgorithm.String()
		}
	}
	if len(certs) > 0 && string(certs[0].RawIssuer) == string(certs[0].RawSubject) {
		return "the certificate of " + host + " was signed by itself, not by a known authority"
	}
	issuer := ""
	if len(certs) > 0 {
		issuer = ": " + certs[len(certs)-1].Issuer.String()
	}
	return "the certificate of " + host + " was signed by an unknown authority" + issuer
}
