package gateway

import "testing"

func TestRPackages(t *testing.T) {
	g := newGateway(t, nil)
	for _, version := range []string{"4.5", "4.6"} {
		w := get(g, "/r/bin/emscripten/contrib/"+version+"/PACKAGES")
		wantAnswer(t, w, 200, "the packages")
		wantHeaders(t, w, "Content-Type: text/plain; charset=utf-8", "Access-Control-Allow-Origin: *", "Cross-Origin-Resource-Policy: cross-origin")
		w = get(g, "/r/bin/emscripten/contrib/"+version+"/later_1.4.0.tgz")
		wantAnswer(t, w, 200, "a package")
		wantHeaders(t, w, "Content-Type: application/gzip")
	}
	for _, path := range []string{"PACKAGES.gz", "other_1.0.tgz", ""} {
		if w := get(g, "/r/bin/emscripten/contrib/4.6/"+path); w.Code != 404 {
			t.Errorf("%q is answered with %d", path, w.Code)
		}
	}
}
