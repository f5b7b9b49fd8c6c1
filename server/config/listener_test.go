package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/listener"
)

// certificate writes a certificate and its key into dir.
func certificate(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"one.test"}, NotAfter: time.Now().Add(time.Hour)}
	certDER, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: certDER}, "key.pem": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

func TestArrival(t *testing.T) {
	cert, key := certificate(t, t.TempDir())
	c := mustLoad(t, []string{
		"--tls-cert", cert, "--tls-key", key, "--tls-client-ca", cert, "--tls-client-cert", "optional",
		"--trusted-proxies", "10.0.0.0/8", "--trusted-proxies", "::1", "--proxy-protocol", "--admin", "127.0.0.1:9090", "--insecure-no-auth",
	}, nil)
	if c.TLS != (listener.Files{Cert: cert, Key: key, ClientCA: cert, Clients: listener.OptionalClientCerts}) {
		t.Errorf("%+v", c.TLS)
	}
	if fmt.Sprint(c.TrustedProxies) != "[10.0.0.0/8 ::1/128]" || !c.ProxyProtocol || c.Admin != "127.0.0.1:9090" || c.InsecureAdmin {
		t.Errorf("%+v", c.Listener)
	}
	printed := c.Print()
	for _, want := range []string{"\ntls-client-cert: optional\n", "\ntrusted-proxies:\n  - 10.0.0.0/8\n  - ::1/128\n", "\nproxy-protocol: true\n", "\nadmin: 127.0.0.1:9090\n"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is missing in\n%s", want, printed)
		}
	}

	c = mustLoad(t, []string{
		"--acme", "one.test", "--acme", "two.test", "--acme-cache", "keys", "--acme-email", "ops@one.test", "--acme-directory", "https://ca.test/directory",
		"--acme-http", ":80", "--admin", ":9090", "--insecure-admin", "--insecure-no-auth",
	}, []string{"SOCKMUX_TRUSTED_PROXIES=127.0.0.1,fd00::/8"})
	a := c.ACME
	if fmt.Sprint(a.Hosts) != "[one.test two.test]" || a.Cache != "keys" || a.Email != "ops@one.test" || a.Directory != "https://ca.test/directory" || c.ACMEHTTP != ":80" {
		t.Errorf("%+v", c.Listener)
	}
	if fmt.Sprint(c.TrustedProxies) != "[127.0.0.1/32 fd00::/8]" || c.Admin != ":9090" {
		t.Errorf("%+v", c.Listener)
	}
}

func TestArrivalErrors(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir)
	tests := []struct{ arguments, want string }{ // DIR stands for the folder
		{"--tls-cert DIR/cert.pem", `--tls-cert: "DIR/cert.pem" needs its key: set --tls-key`},
		{"--tls-key DIR/key.pem", `--tls-key: "DIR/key.pem" needs its certificate: set --tls-cert`},
		{"--tls-cert DIR/none --tls-key DIR/key.pem", `--tls-cert: certificate: open DIR/none: no such file or directory`},
		{"--tls-cert DIR/key.pem --tls-key DIR/cert.pem", `--tls-cert: certificate: DIR/key.pem holds no PEM block CERTIFICATE`},
		{"--tls-client-cert required", `--tls-client-cert: client certificates need TLS in this server: set --tls-cert`},
		{"--tls-cert DIR/cert.pem --tls-key DIR/key.pem --tls-client-cert required", `--tls-client-cert: client certificates need a CA: set --tls-client-ca`},
		{"--tls-cert DIR/cert.pem --tls-key DIR/key.pem --tls-client-ca DIR/cert.pem", `--tls-client-ca: "DIR/cert.pem" does nothing while clients are not asked for a certificate: set --tls-client-cert optional or required`},
		{"--tls-client-cert perhaps", `--tls-client-cert: "perhaps" is not known: want none, optional or required`},
		{"--tls-cert DIR/cert.pem --tls-key DIR/key.pem --acme one.test", `--acme: one.test: the certificate cannot come from --tls-cert as well: choose one`},
		{"--acme *.one.test", `--acme: "*.one.test": wildcards need a DNS challenge, which is not spoken: name each host`},
		{"--acme-directory http://ca.test", `--acme-directory: "http://ca.test" is not an https URL: want one such as https://ca.example.org/directory`},
		{"--acme-http :80", `--acme-http: ":80" does nothing without --acme`},
		{"--trusted-proxies 10.1.2.3/8", `--trusted-proxies: "10.1.2.3/8": bits are set beyond the length: write 10.0.0.0/8`},
		{"--trusted-proxies ::/0", `--trusted-proxies: "::/0": this trusts every client, so any client could claim any address: name the proxies`},
		{"--proxy-protocol", `--proxy-protocol: no proxy may send the header: set --trusted-proxies`},
		{"--admin :9090", `--admin: ":9090" is reachable from other machines without authentication: listen on 127.0.0.1, or set --insecure-admin`},
		{"--admin 127.0.0.1:8088", `--admin: "127.0.0.1:8088" is the address of --listen: operators need one of their own`},
	}
	for _, test := range tests {
		_, err := Load(strings.Fields(strings.ReplaceAll(test.arguments, "DIR", dir)), nil)
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.arguments, err, test.want)
		}
	}
}
