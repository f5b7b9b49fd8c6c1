package gateway

import "net/http"

// rPackage serves a file of the repository of R packages, in the place where webr::install() looks
// for it. The packages are plain R: each version of R gets the same.
func (g *Gateway) rPackage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name == "PACKAGES" {
		name += ".txt"
	}
	g.built(w, r, "r/"+name)
}
