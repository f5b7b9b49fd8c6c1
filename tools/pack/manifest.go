package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// manifestName is the file in the output folder that describes all others;
// server/gateway/assets reads it.
const manifestName = "manifest.json"

// manifest is the form that server/gateway/assets reads.
type manifest struct {
	Version string `json:"version"`
	Files   []file `json:"files"`
}

// file is one built file. Hashed is empty for files that are only reached through a page
// that names them.
type file struct {
	Path   string `json:"path"`
	Hashed string `json:"hashed,omitempty"`
	Type   string `json:"type"`
	SRI    string `json:"sri"`
}

// types are the media types that we serve. They are written down because the server
// forbids browsers to guess.
var types = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".jpg":         "image/jpeg",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".mjs":         "text/javascript; charset=utf-8",
	".png":         "image/png",
	".rds":         "application/octet-stream",
	".svg":         "image/svg+xml",
	".tgz":         "application/gzip",
	".ts":          "text/plain; charset=utf-8",
	".txt":         "text/plain; charset=utf-8",
	".wasm":        "application/wasm",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

func typeOf(name string) (string, error) {
	if t, ok := types[path.Ext(name)]; ok {
		return t, nil
	}
	return "", fmt.Errorf("%s: no media type is known for %q: add it to tools/pack/manifest.go", name, path.Ext(name))
}

func digestOf(content []byte) [sha512.Size384]byte { return sha512.Sum384(content) }

// sri is the form of https://www.w3.org/TR/SRI/, as the integrity attribute of a script takes it.
func sri(digest [sha512.Size384]byte) string {
	return "sha384-" + base64.StdEncoding.EncodeToString(digest[:])
}

// shortSRI is for the script, which holds one for each file that it loads: of all its
// bytes these alone cannot be compressed.
func shortSRI(content []byte) string {
	digest := sha256.Sum256(content)
	return "sha256-" + base64.StdEncoding.EncodeToString(digest[:])
}

// hashedName puts the first 4 bytes of the digest before the first dot: sockmux.d.ts is
// assets/sockmux-0123abcd.d.ts. The name only has to tell versions apart; integrity is
// the SRI string's work.
func hashedName(name string, digest [sha512.Size384]byte) string {
	stem, extension := name, ""
	if i := strings.IndexByte(name, '.'); i >= 0 {
		stem, extension = name[:i], name[i:]
	}
	return "assets/" + stem + "-" + hex.EncodeToString(digest[:4]) + extension
}

// readManifest gives an empty manifest where there is none yet or it is broken: then
// everything is packed anew.
func readManifest(dir string) manifest {
	var m manifest
	content, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil || json.Unmarshal(content, &m) != nil {
		return manifest{}
	}
	return m
}

func writeManifest(dir string, m manifest) error {
	content, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, manifestName), append(content, '\n'))
}
