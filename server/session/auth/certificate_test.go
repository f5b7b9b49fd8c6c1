package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// issuer is an authority of a test.
type issuer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func authority(t *testing.T) issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{certificate, key}
}

func (i issuer) issue(t *testing.T, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, i.certificate, &key.PublicKey, i.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handshake returns what the server's side of a TLS connection knows of a client with
// those certificates.
func handshake(t *testing.T, ca issuer, client ...tls.Certificate) (*tls.ConnectionState, error) {
	t.Helper()
	path := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.certificate.Raw})))
	pool, err := LoadClientCAs(path)
	if err != nil {
		t.Fatal(err)
	}
	server := ca.issue(t, &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"server"}, NotAfter: time.Now().Add(time.Hour)})
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c := tls.Client(a, &tls.Config{RootCAs: pool, ServerName: "server", Certificates: client})
		_ = c.Handshake()
		_, _ = c.Read(make([]byte, 1)) // of TLS 1.3: the server may yet send a ticket or an alert
	}()
	s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven})
	err = s.Handshake()
	state := s.ConnectionState()
	b.Close()
	<-done
	return &state, err
}

func TestCertificate(t *testing.T) {
	ca := authority(t)
	spiffe, _ := url.Parse("spiffe://example/ns/a")
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0xabc), Subject: pkix.Name{CommonName: "alice"}, NotAfter: time.Now().Add(time.Hour).Truncate(time.Second),
		DNSNames: []string{"a.example", "b.example"}, EmailAddresses: []string{"alice@example.com"}, URIs: []*url.URL{spiffe},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	full, err := handshake(t, ca, ca.issue(t, template))
	if err != nil {
		t.Fatal(err)
	}
	odd, err := handshake(t, ca, ca.issue(t, &x509.Certificate{
		SerialNumber: big.NewInt(0xabd), Subject: pkix.Name{CommonName: "a\nb"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}))
	if err != nil {
		t.Fatal(err)
	}
	none, err := handshake(t, ca)
	if err != nil {
		t.Fatal(err)
	}
	old := *full.VerifiedChains[0][0]
	old.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	unverified := &tls.ConnectionState{PeerCertificates: full.PeerCertificates}
	for _, test := range []struct {
		name  string
		from  NameFrom
		state *tls.ConnectionState
		want  string
	}{
		{"cn", CommonName, full, "alice"},
		{"dns", DNSName, full, "a.example"},
		{"email", Email, full, "alice@example.com"},
		{"uri", URI, full, "spiffe://example/ns/a"},
		{"no TLS", CommonName, nil, "unauthorized: no credentials: the server wants a client certificate, and this connection has no TLS"},
		{"no certificate", CommonName, none, "unauthorized: no credentials: the server wants a client certificate"},
		{"not verified", CommonName, unverified, "unauthorized: no credentials: the server wants a client certificate"},
		{"no such part", Email, odd, "unauthorized: the client certificate abd has no email"},
		{"bad name", CommonName, odd, "unauthorized: the cn of the client certificate abd has characters that cannot be printed"},
		{"expired", CommonName, &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{&old}}}, "expired: the client certificate of alice expired at 2020-01-01T00:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := NewCertificate(test.from)
			if err != nil {
				t.Fatal(err)
			}
			identity, err := c.Authenticate(t.Context(), Credentials{TLS: test.state})
			if err != nil {
				wantError(t, err, test.want)
				return
			}
			if identity.Name != test.want || identity.Method != MethodCertificate || !identity.Expires.Equal(template.NotAfter) {
				t.Errorf("%+v; want %s", identity, test.want)
			}
		})
	}

	if _, err := handshake(t, ca, authority(t).issue(t, template)); err == nil {
		t.Error("a certificate of another authority passed the handshake")
	}
	if _, err := NewCertificate("o"); err == nil || err.Error() != `"o" is not a part of a certificate: want cn, dns, email or uri` {
		t.Errorf("%v", err)
	}
}

func TestLoadClientCAs(t *testing.T) {
	ca := authority(t)
	leaf := ca.issue(t, &x509.Certificate{SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "leaf"}, NotAfter: time.Now().Add(time.Hour)})
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	for give, want := range map[string]string{
		"":                        "no certificate in PEM",
		block("PRIVATE KEY", nil): "PEM block 1 is a PRIVATE KEY; want CERTIFICATE",
		block("CERTIFICATE", ca.certificate.Raw) + block("CERTIFICATE", leaf.Certificate[0]): `PEM block 2: the certificate of "CN=leaf" is not that of an authority`,
		block("CERTIFICATE", []byte{0}): "PEM block 1: x509: malformed certificate",
	} {
		path := write(t, "ca.pem", give)
		if _, err := LoadClientCAs(path); err == nil || err.Error() != path+": "+want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
	if _, err := LoadClientCAs(t.TempDir() + "/none"); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "reading the client authorities: open ") {
		t.Errorf("%v", err)
	}
}
