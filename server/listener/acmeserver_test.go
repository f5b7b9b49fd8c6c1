package listener

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/sockmux/sockmux/internal/test/certificate"
)

// acmeServer is an authority for one test (RFC 8555, as much of it as a client meets that
// has never been there): it validates by really connecting to where the names lead, and
// does not check the signatures of requests.
type acmeServer struct {
	*httptest.Server
	t      *testing.T
	ca     *certificate.Authority
	dial   string // where every name leads, HOST:PORT
	http01 string // HOST:PORT for HTTP-01; empty: TLS-ALPN-01 is used

	mu     sync.Mutex
	orders map[string]*acmeOrder
	issued int
	token  int
}

// acmeOrder is an order with its one authorization.
type acmeOrder struct {
	host, token, status string
	certificate         []byte
}

func newACMEServer(t *testing.T, dial string) *acmeServer {
	ca, _, _ := issue(t, nil, "the ACME authority", nil)
	s := &acmeServer{t: t, ca: ca, dial: dial, orders: make(map[string]*acmeOrder)}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements the resources of RFC 8555, 7.1. The last part of a path is the
// number of an order.
func (s *acmeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Replay-Nonce", "nonce")
	kind, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	order := s.orders[id]
	switch kind {
	case "directory":
		s.answer(w, 200, map[string]any{"newNonce": s.URL + "/nonce", "newAccount": s.URL + "/account", "newOrder": s.URL + "/order", "revokeCert": s.URL + "/revoke", "keyChange": s.URL + "/key"})
	case "nonce":
	case "account":
		w.Header().Set("Location", s.URL+"/account/1")
		s.answer(w, 201, map[string]any{"status": "valid"})
	case "order":
		if order == nil {
			var request struct{ Identifiers []struct{ Value string } }
			s.payload(r, &request)
			s.token++
			id = fmt.Sprint(s.token)
			order = &acmeOrder{host: request.Identifiers[0].Value, token: "token" + id, status: acme.StatusPending}
			s.orders[id] = order
			w.Header().Set("Location", s.URL+"/order/"+id)
			s.answer(w, 201, s.order(id, order))
			return
		}
		s.answer(w, 200, s.order(id, order))
	case "authz":
		s.answer(w, 200, s.authorization(id, order))
	case "challenge":
		if err := s.validate(r.Context(), order); err != nil {
			s.t.Errorf("validating %s: %v", order.host, err)
			order.status = acme.StatusInvalid
		} else {
			order.status = acme.StatusReady
		}
		s.answer(w, 200, s.challenge(id, order))
	case "finalize":
		var request struct{ CSR string }
		s.payload(r, &request)
		s.sign(order, request.CSR)
		s.answer(w, 200, s.order(id, order))
	case "certificate":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(order.certificate) // the client is this test
	default:
		http.NotFound(w, r)
	}
}

func (s *acmeServer) answer(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		s.t.Error(err)
	}
}

func (s *acmeServer) order(id string, o *acmeOrder) map[string]any {
	v := map[string]any{
		"status": o.status, "identifiers": []any{map[string]string{"type": "dns", "value": o.host}},
		"authorizations": []string{s.URL + "/authz/" + id}, "finalize": s.URL + "/finalize/" + id,
	}
	if o.status == acme.StatusValid {
		v["certificate"] = s.URL + "/certificate/" + id
	}
	return v
}

func (s *acmeServer) authorization(id string, o *acmeOrder) map[string]any {
	return map[string]any{"status": state(o), "identifier": map[string]string{"type": "dns", "value": o.host}, "challenges": []any{s.challenge(id, o)}}
}

func (s *acmeServer) challenge(id string, o *acmeOrder) map[string]any {
	kind := "tls-alpn-01"
	if s.http01 != "" {
		kind = "http-01"
	}
	return map[string]any{"type": kind, "url": s.URL + "/challenge/" + id, "token": o.token, "status": state(o)}
}

// state is that of authorization and challenge.
func state(o *acmeOrder) string {
	if o.status == acme.StatusPending || o.status == acme.StatusInvalid {
		return o.status
	}
	return acme.StatusValid
}

// payload reads what a JWS carries.
func (s *acmeServer) payload(r *http.Request, to any) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	var jws struct{ Payload string }
	if err := json.Unmarshal(body, &jws); err != nil {
		s.t.Error(err)
	}
	text, err := base64.RawURLEncoding.DecodeString(jws.Payload)
	if err != nil {
		s.t.Error(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		s.t.Errorf("%q: %v", text, err)
	}
}

// validate connects to the server that asks for a certificate, as an authority does.
func (s *acmeServer) validate(ctx context.Context, o *acmeOrder) error {
	if s.http01 != "" {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.http01+"/.well-known/acme-challenge/"+o.token, nil)
		if err != nil {
			return err
		}
		request.Host = o.host
		response, err := new(http.Transport).RoundTrip(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if body, err := io.ReadAll(response.Body); err != nil || !strings.HasPrefix(string(body), o.token+".") {
			return fmt.Errorf("answer %q, %v", body, err)
		}
		return nil
	}
	// RFC 8737, 3: a self-signed certificate for the name with the critical extension
	// acmeIdentifier.
	c, err := tls.Dial("tcp", s.dial, &tls.Config{ServerName: o.host, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true})
	if err != nil {
		return err
	}
	defer c.Close()
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0]
	identifier := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}
	for _, e := range leaf.Extensions {
		if e.Id.Equal(identifier) && e.Critical && state.NegotiatedProtocol == acme.ALPNProto && leaf.VerifyHostname(o.host) == nil {
			return nil
		}
	}
	return fmt.Errorf("no challenge's certificate: %v, protocol %q", leaf.DNSNames, state.NegotiatedProtocol)
}

func (s *acmeServer) sign(o *acmeOrder, csr string) {
	der, err := base64.RawURLEncoding.DecodeString(csr)
	if err != nil {
		s.t.Error(err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.issued++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(s.issued)), DNSNames: request.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leaf, err := x509.CreateCertificate(rand.Reader, template, s.ca.Certificate, request.PublicKey, s.ca.Key)
	if err != nil {
		s.t.Error(err)
	}
	o.certificate = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf}), s.ca.PEM...)
	o.status = acme.StatusValid
}

func (s *acmeServer) certificates() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.issued
}
