package gateway

import (
	"fmt"
	"net/http"
)

// answer writes one line of text that no cache keeps.
func answer(w http.ResponseWriter, status int, line string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, line) // an error means that the peer is gone
}

// shared lets every page of the web load an answer, also pages that are cross-origin
// isolated (https://html.spec.whatwg.org/multipage/browsers.html#coep,
// https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header).
func shared(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	// A worker's script must say this itself, or an isolated page may not start it.
	header.Set("Cross-Origin-Embedder-Policy", "require-corp")
}
