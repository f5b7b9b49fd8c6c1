package gateway

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// webRTypes are the media types of the files in webR's npm package. Emscripten's shared
// libraries are wasm.
var webRTypes = map[string]string{
	".cjs":      "text/javascript; charset=utf-8",
	".css":      "text/css; charset=utf-8",
	".gz":       "application/gzip",
	".html":     "text/html; charset=utf-8",
	".js":       "text/javascript; charset=utf-8",
	".json":     "application/json",
	".map":      "application/json",
	".metadata": "application/json",
	".mjs":      "text/javascript; charset=utf-8",
	".otf":      "font/otf",
	".so":       "application/wasm",
	".ttf":      "font/ttf",
	".txt":      "text/plain; charset=utf-8",
	".wasm":     "application/wasm",
}

// webRFile serves one file of webR. There are no listings, and what begins with a dot is
// not there. os.Root keeps links from leading out of the folder.
func (g *Gateway) webRFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if g.webR == nil {
		answer(w, http.StatusNotFound, "webR's files are not here: start the server with --webr DIR")
		return
	}
	if !fs.ValidPath(name) || hidden(name) {
		g.notFound(w, r)
		return
	}
	file, err := g.webR.Open(name)
	if err != nil {
		g.notFound(w, r)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		g.notFound(w, r)
		return
	}
	header := w.Header()
	shared(header)
	header.Set("Content-Type", "application/octet-stream")
	if mediaType, ok := webRTypes[path.Ext(name)]; ok {
		header.Set("Content-Type", mediaType)
	}
	header.Set("Cache-Control", cacheAsk)
	http.ServeContent(w, r, name, info.ModTime(), file)
}

// hidden reports whether any part of the path begins with a dot.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}
