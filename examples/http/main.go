// Command http fetches a URL through a sockmux server. TLS runs in this program, so the server
// sees no plaintext. HTTP/2 is used where the target has it.
//
//	go run ./examples/http --server http://127.0.0.1:8088/ https://intranet.example.org/
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/sockmux/sockmux"
)

func main() {
	server := flag.String("server", "http://127.0.0.1:8088/", "URL of the sockmux server")
	token := flag.String("token", os.Getenv("SOCKMUX_TOKEN"), "credential for the sockmux server")
	ca := flag.String("ca", "", "PEM file of more authorities that the target may have")
	http1 := flag.Bool("http1", false, "use HTTP/1.1 only")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: http [flags] URL")
	}
	dialer := &sockmux.Dialer{URL: *server, Token: *token}
	err := get(dialer, flag.Arg(0), *ca, *http1)
	if err := errors.Join(err, dialer.Close()); err != nil {
		log.Fatal(err)
	}
}

// get prints the answer's status on standard error and its body on standard output.
func get(dialer *sockmux.Dialer, url, ca string, http1 bool) error {
	roots, err := rootsWith(ca)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{
		DialContext:       dialer.DialContext,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		ForceAttemptHTTP2: !http1, // a Transport with a dialer of its own has HTTP/1.1 otherwise
	}}
	defer client.CloseIdleConnections()
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	fmt.Fprintln(os.Stderr, response.Proto, response.Status)
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

// rootsWith returns the system's authorities and those of a file, if it is named.
func rootsWith(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil // the system's
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(file)
	if err == nil && !roots.AppendCertsFromPEM(pem) {
		err = fmt.Errorf("%s has no certificate", file)
	}
	return roots, err
}
