package gateway

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sockmux/sockmux/server/gateway/assets"
)

// How long browsers may keep a built file without asking.
const (
	// A hashed name never stands for other content.
	cacheHashed = "public, max-age=31536000, immutable"
	// A page that loads sockmux.js by its plain name gets a new version within five minutes.
	cachePlain = "public, max-age=300"
	// The playground's pages and scripts belong together, so browsers ask each time.
	cacheAsk = "no-cache"
)

// indexPage is the playground's page. It is served at the prefix itself, which its links
// are relative to.
const indexPage = "playground/index.html"

// asset serves a built file by its path or its hashed name.
func (g *Gateway) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	switch name {
	case "":
		name = indexPage
	case "playground", "playground/", indexPage:
		g.toPrefix(w, r)
		return
	}
	g.built(w, r, name)
}

// built serves what the build made, by its path or its hashed name.
func (g *Gateway) built(w http.ResponseWriter, r *http.Request, name string) {
	file, hashed, err := g.config.Assets.Find(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		g.notFound(w, r)
		return
	case errors.Is(err, assets.ErrNotBuilt):
		shared(w.Header()) // a page can then say why the script is missing
		answer(w, http.StatusServiceUnavailable, err.Error())
		return
	case err != nil:
		g.fail(w, r, err)
		return
	}
	content, encoding, err := g.open(file, r.Header["Accept-Encoding"])
	if err != nil {
		g.fail(w, r, err)
		return
	}
	defer content.Close()
	header := w.Header()
	shared(header)
	if strings.HasPrefix(file.Type, "text/html") {
		page(header)
	}
	header.Set("Content-Type", file.Type)
	header.Set("Cache-Control", g.cacheControl(file, hashed))
	header.Set("Vary", "Accept-Encoding")
	if encoding != assets.Identity {
		header.Set("Content-Encoding", string(encoding))
	}
	header.Set("ETag", entityTag(file, encoding))
	// ServeContent leaves it out where there is a coding, and sets it anew for a range.
	header.Set("Content-Length", strconv.FormatInt(content.Size, 10))
	http.ServeContent(w, r, "", time.Time{}, content)
}

// open gives the file in the best coding that the client takes and the build made.
func (g *Gateway) open(file assets.File, accept []string) (*assets.Content, assets.Encoding, error) {
	var err error
	for _, encoding := range encodings(accept) {
		var content *assets.Content
		if content, err = g.config.Assets.Open(file, encoding); err == nil {
			return content, encoding, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, "", err
}

// cacheControl is short for the files that a stranger's page names: the script, its types
// and its wasm lie at the top.
func (g *Gateway) cacheControl(file assets.File, hashed bool) string {
	switch {
	case hashed:
		return cacheHashed
	case g.config.Fresh || strings.Contains(file.Path, "/"):
		return cacheAsk
	default:
		return cachePlain
	}
}

// entityTag names one content in one coding (RFC 9110, 8.8.3). Base64 needs no escaping in it.
func entityTag(file assets.File, encoding assets.Encoding) string {
	const letters = 24 // 144 bits
	digest := strings.TrimPrefix(file.SRI, "sha384-")
	return `"` + digest[:min(letters, len(digest))] + "-" + string(encoding) + `"`
}

// fail is for what only a broken build or disk can bring about.
func (g *Gateway) fail(w http.ResponseWriter, r *http.Request, err error) {
	g.config.Logger.Error("file cannot be served", "path", r.URL.Path, "error", err)
	answer(w, http.StatusInternalServerError, "the file cannot be read; the server's log says why")
}
