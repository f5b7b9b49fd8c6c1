package assets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// manifestName is where tools/pack writes the list of files.
const manifestName = "manifest.json"

// Manifest lists what was built.
type Manifest struct {
	Version string `json:"version"` // of the source that was built
	Files   []File `json:"files"`

	byPath, byHashed map[string]int // index into Files
}

// File describes one built file.
type File struct {
	Path   string `json:"path"`   // slashed, relative: sockmux.js
	Hashed string `json:"hashed"` // a name that holds the content's hash: assets/sockmux-0123abcd.js; empty for files without one
	Type   string `json:"type"`   // media type
	SRI    string `json:"sri"`    // subresource integrity string of the identity content, "sha384-..."
}

func readManifest(files fs.FS) (*Manifest, error) {
	content, err := fs.ReadFile(files, manifestName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, err
	}
	m := new(Manifest)
	if err := json.Unmarshal(content, m); err != nil {
		return nil, fmt.Errorf("%s: %w", manifestName, err)
	}
	return m, m.index()
}

// index checks the list and makes the lookups.
func (m *Manifest) index() error {
	m.byPath = make(map[string]int, len(m.Files))
	m.byHashed = make(map[string]int, len(m.Files))
	for i, f := range m.Files {
		switch {
		case !fs.ValidPath(f.Path) || f.Hashed != "" && !fs.ValidPath(f.Hashed):
			return fmt.Errorf("%s: %q (%q) is not a relative path", manifestName, f.Path, f.Hashed)
		case f.Type == "":
			return fmt.Errorf("%s: %s has no type", manifestName, f.Path)
		case !strings.HasPrefix(f.SRI, "sha384-"):
			return fmt.Errorf("%s: %s has the integrity %q, want sha384- and the digest", manifestName, f.Path, f.SRI)
		}
		if _, twice := m.byPath[f.Path]; twice {
			return fmt.Errorf("%s: %s is listed twice", manifestName, f.Path)
		}
		m.byPath[f.Path] = i
		if f.Hashed != "" {
			m.byHashed[f.Hashed] = i
		}
	}
	return nil
}
