// Package assets holds what the build made for browsers: the script, its wasm and the playground.
//
// The build's last step (tools/pack) writes dist: every file at its path, compressed
// twins PATH.br and PATH.gz where they are smaller, and manifest.json, which describes
// them. In a tree where nothing has been built dist holds a placeholder only; everything
// compiles then, and a Store answers ErrNotBuilt.
package assets

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
)

//go:embed dist
var dist embed.FS

// ErrNotBuilt says that there are no built files: the server was compiled before they were made.
var ErrNotBuilt = errors.New("the script and the playground are not built: run make")

// Store gives the built files by name. It is safe for concurrent use.
type Store struct {
	files fs.FS
	load  func() (*Manifest, error)
}

// Embedded returns the Store of the files compiled into this binary.
func Embedded() *Store {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // only an invalid constant path can fail
	}
	return &Store{files: files, load: sync.OnceValues(func() (*Manifest, error) { return readManifest(files) })}
}

// Dir returns a Store of the files in a folder, for development: the manifest is read
// anew at every call, so a build shows at once.
func Dir(dir string) *Store {
	files := os.DirFS(dir)
	return &Store{files: files, load: func() (*Manifest, error) { return readManifest(files) }}
}

// Manifest returns the list of files. The error is ErrNotBuilt where there is none; any
// other means a broken build. The caller must not change what it points to.
func (s *Store) Manifest() (*Manifest, error) { return s.load() }

// Find returns the file with that path or hashed name, and whether it was the hashed one:
// then its content never changes under this name. The error is fs.ErrNotExist where no
// file has that name, or one of Manifest.
func (s *Store) Find(name string) (file File, hashed bool, err error) {
	m, err := s.load()
	if err != nil {
		return File{}, false, err
	}
	if i, ok := m.byPath[name]; ok {
		return m.Files[i], false, nil
	}
	if i, ok := m.byHashed[name]; ok {
		return m.Files[i], true, nil
	}
	return File{}, false, &fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}
}

// Content is the content of a file in one encoding. The caller closes it.
type Content struct {
	io.ReadSeeker
	io.Closer
	Size int64 // in bytes
}

// Open opens the file's content in an encoding. The error is fs.ErrNotExist if the build has no
// such twin.
func (s *Store) Open(file File, encoding Encoding) (*Content, error) {
	opened, err := s.files.Open(file.Path + encoding.suffix())
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	seeker, ok := opened.(io.ReadSeeker) // files of embed and of os are
	if !ok || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a regular file", file.Path), opened.Close())
	}
	return &Content{seeker, opened, info.Size()}, nil
}

// Encoding is a content coding of HTTP (RFC 9110, 8.4.1).
type Encoding string

// The codings that the build makes, best first.
const (
	Brotli   Encoding = "br"
	Gzip     Encoding = "gzip"
	Identity Encoding = "identity"
)

func (e Encoding) suffix() string {
	switch e {
	case Brotli:
		return ".br"
	case Gzip:
		return ".gz"
	default:
		return ""
	}
}
