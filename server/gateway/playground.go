package gateway

import (
	"net/http"
	"strings"
)

// pagePolicy is the Content-Security-Policy of the playground
// (https://www.w3.org/TR/CSP3/). What it grants, and why:
//   - wasm-unsafe-eval: R and the tunnel are wasm;
//   - blob: for scripts and workers: sockmux.js starts webR's worker from a blob that
//     loads its layer first;
//   - unsafe-eval: that worker inherits this policy, and Emscripten's code for shared
//     libraries calls eval (measured with webR 0.6.0: R does not start without);
//   - https: for connections: webr::install() and R's url() fetch what their servers allow;
//   - data: and blob: R's graphics become pictures.
var pagePolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self' blob: 'wasm-unsafe-eval' 'unsafe-eval'",
	"worker-src 'self' blob:",
	"connect-src 'self' blob: data: https:",
	"style-src 'self'",
	"img-src 'self' blob: data:",
	"font-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

// page sets what makes a page cross-origin isolated, which webR's sockets need, and what
// keeps strangers out of it.
func page(header http.Header) {
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Embedder-Policy", "require-corp")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Del("Access-Control-Allow-Origin")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("Referrer-Policy", "no-referrer")
}
