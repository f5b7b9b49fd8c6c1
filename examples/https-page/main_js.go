// Command https-page gives the page beside it an HTTPS client: TLS and HTTP/2 run in the page, and
// no CORS holds. Its connections are sockets of the page's sockmux.js.
//
//	make examples        # builds https-page/main.wasm
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"syscall/js"

	"github.com/sockmux/sockmux"
	"github.com/sockmux/sockmux/examples/internal/page"
)

func main() {
	dialer := &sockmux.Dialer{} // without a URL: the page's own session
	page.Export("goFetch", func(args []js.Value) (any, error) { return fetch(dialer, args[0].String(), args[1].String()) })
	js.Global().Call("goReady")
	select {}
}

// maxBody is how much of a body the page gets.
const maxBody = 16 << 20

// clients are kept by their authorities, so that requests share connections.
var (
	mu      sync.Mutex
	clients = make(map[string]*http.Client)
)

// clientFor returns a client that trusts the authorities of a PEM text. A browser tells a program
// none of its own.
func clientFor(dialer *sockmux.Dialer, authorities string) (*http.Client, error) {
	mu.Lock()
	defer mu.Unlock()
	if client, ok := clients[authorities]; ok {
		return client, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(authorities)) {
		return nil, errors.New("there is no certificate of an authority")
	}
	clients[authorities] = &http.Client{Transport: &http.Transport{
		DialContext:       dialer.DialContext,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: true, // a Transport with a dialer of its own has HTTP/1.1 otherwise
	}}
	return clients[authorities], nil
}

// fetch returns {protocol, status, tls, body} of a URL.
func fetch(dialer *sockmux.Dialer, url, authorities string) (any, error) {
	client, err := clientFor(dialer, authorities)
	if err != nil {
		return nil, err
	}
	response, err := client.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("the body has more than %d bytes", maxBody)
	}
	if err != nil {
		return nil, err
	}
	answer := map[string]any{"protocol": response.Proto, "status": response.Status, "tls": "", "body": page.Array(body)}
	if response.TLS != nil {
		answer["tls"] = tls.VersionName(response.TLS.Version)
	}
	return answer, nil
}
