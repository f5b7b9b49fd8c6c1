package docs_test

import (
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are patterns of paths that are not in the repository, by the reason.
var elsewhere = map[string][]string{
	"the build writes it": {
		"*/main.wasm", "e2e/package/node_modules", "bin/*", "build/*", "js/build/*", "js/dist", "bench/out", "bench/out/*", "DIR/overlay.json",
		"sockmux.mjs", "sockmux-*.js", "assets/sockmux-*",
	},
	"a user's program":        {"client.c", "client.js", "client.html", "NAME.worker.js"},
	"a pattern for new files": {"js/test/FOLDER/FILE.test.js", "part-*.js", "testdata/invalid-NAME.yaml"},
	"of another project": {
		"wasm_exec.js", "xterm.js", "-lwebsocket.js", "spec.md", "R.js", "Node.js", "libcurl.js", "lib/libsockfs.js",
		"internal/abi", "runtime/*.go", "js/wasm",
	},
	"a header of the system": {"linux/*.h", "sys/*.h", "netdb.h", "poll.h", "stdio.h", "string.h", "time.h", "unistd.h", "emscripten/*.h", "netinet*/*.h", "sysexits.h", "ws2ipdef.h", "winsock2.h"},
}

// skipped are folders without sources of ours.
var skipped = []string{".git", "node_modules", "bin", "build", "dist", "out"}

// unread are folders whose files may be named, but are not read.
var unread = []string{"testdata", "fixtures"}

// signpost is a path that a comment or document names.
type signpost struct{ place, path string }

// Each path that a comment or a document names leads to something in the repository.
func TestSignposts(t *testing.T) {
	tree := newTree(t)
	if len(tree.files) < 500 {
		t.Fatalf("%d files: this is not the repository", len(tree.files))
	}
	seen := 0
	for _, file := range tree.files {
		for _, post := range tree.signposts(t, file) {
			seen++
			if !tree.leads(file, post.path) {
				t.Errorf("%s: no such file or folder: %s", post.place, post.path)
			}
		}
	}
	t.Logf("%d signposts", seen)
}

// docs/ARCHITECTURE.md names each folder with code of the server, the page and both, or the
// folder above it.
func TestMap(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "docs/ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`[\w/]+`).FindAllString(string(content), -1)
	tree := newTree(t)
	for _, file := range tree.files {
		folder := path.Dir(file)
		wing, _, _ := strings.Cut(folder, "/")
		inside := slices.Contains([]string{"server", "shared", "wasm", "internal", "cmd"}, wing) || strings.HasPrefix(folder, "js/src/")
		if extension := path.Ext(file); !inside || !tree.read(file) || extension != ".go" && extension != ".js" {
			continue
		}
		if !slices.Contains(names, folder) && !slices.Contains(names, path.Dir(folder)) {
			t.Errorf("docs/ARCHITECTURE.md does not name %s, where %s is", folder, path.Base(file))
		}
	}
}

// tree is what is in the repository.
type tree struct {
	files []string        // slashed, from the root
	known map[string]bool // files and folders
	names map[string]bool // last elements of files
}

func newTree(t *testing.T) *tree {
	t.Helper()
	found := &tree{known: map[string]bool{}, names: map[string]bool{}}
	err := filepath.WalkDir(root, func(full string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		found.known[name] = true
		if entry.IsDir() {
			if slices.Contains(skipped, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		found.files = append(found.files, name)
		found.names[entry.Name()] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// leads reports whether a path in a file leads to something: from the file's folder, from one
// above it, or from the root.
func (f *tree) leads(file, name string) bool {
	name = strings.TrimSuffix(name, "/")
	for folder := path.Dir(file); ; folder = path.Dir(folder) {
		if f.has(path.Join(folder, name)) {
			return true
		}
		if folder == "." {
			break
		}
	}
	for _, patterns := range elsewhere {
		for _, pattern := range patterns {
			if matched, _ := path.Match(pattern, name); matched {
				return true
			}
		}
	}
	return !strings.Contains(name, "/") && f.names[name]
}

// read reports whether a file is of ours, not data of a test.
func (f *tree) read(file string) bool {
	return !slices.ContainsFunc(strings.Split(file, "/"), func(folder string) bool { return slices.Contains(unread, folder) })
}

func (f *tree) has(name string) bool {
	if !strings.Contains(name, "*") {
		return f.known[name]
	}
	for known := range f.known {
		if matched, _ := path.Match(name, known); matched {
			return true
		}
	}
	return false
}

var (
	url = regexp.MustCompile(`[a-z]+://\S+`)
	// pathLike is a word with slashes, or the name of a source file.
	pathLike = regexp.MustCompile(`[\w.@*~-]*(?:/[\w.@*~-]+)+/?|[\w*-]+(?:\.[\w*-]+)*\.(?:go|m?js|mk|md|c|h|css|html)\b`)
	// source ends what is a file of a repository.
	source = regexp.MustCompile(`\.(?:go|m?js|mk|md|c|h|css|html|json|yaml|R|ts|txt|svg|png|wasm)$`)
)

// signposts returns the paths that a file names: those of a source file, and those that begin
// with a folder of the root.
func (f *tree) signposts(t *testing.T, file string) (found []signpost) {
	t.Helper()
	if !f.read(file) {
		return nil
	}
	content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range prose(file, string(content)) {
		for i, line := range strings.Split(c.text, "\n") {
			for _, word := range pathLike.FindAllString(url.ReplaceAllString(line, ""), -1) {
				word = strings.TrimPrefix(strings.TrimRight(word, ".-~*"), "./")
				first, _, _ := strings.Cut(word, "/")
				if first != "" && (source.MatchString(word) || first != word && f.known[first]) {
					found = append(found, signpost{fmt.Sprintf("%s:%d", file, c.line+i), word})
				}
			}
		}
	}
	return found
}

// comment is text for people, and the line where it begins.
type comment struct {
	text string
	line int
}

// prose returns what of a file is for people: comments, and documents whole.
func prose(file, content string) []comment {
	base := path.Base(file)
	switch path.Ext(file) {
	case ".md":
		return []comment{{content, 1}}
	case ".go":
		return goComments(content)
	case ".js", ".mjs", ".c", ".h", ".css", ".ts":
		return slashComments(content)
	case ".mk", ".yaml", ".yml", ".R", ".service", "":
		if base == "Dockerfile" || path.Ext(file) != "" || base == "Makefile" || strings.HasPrefix(content, "#!") {
			return hashComments(content)
		}
	}
	return nil
}

func goComments(content string) (found []comment) {
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(content))
	var s scanner.Scanner
	s.Init(file, []byte(content), nil, scanner.ScanComments)
	for {
		position, kind, text := s.Scan()
		if kind == token.EOF {
			return found
		}
		if kind == token.COMMENT {
			found = append(found, comment{text, file.Line(position)})
		}
	}
}

var slashed = regexp.MustCompile(`(?m)(?:^|\s)//.*$|/\*[\s\S]*?\*/`)

func slashComments(content string) (found []comment) {
	for _, span := range slashed.FindAllStringIndex(content, -1) {
		found = append(found, comment{content[span[0]:span[1]], 1 + strings.Count(content[:span[0]], "\n")})
	}
	return found
}

var hashed = regexp.MustCompile(`(?:^|\s)#.*$`)

func hashComments(content string) (found []comment) {
	for i, line := range strings.Split(content, "\n") {
		if text := hashed.FindString(line); text != "" {
			found = append(found, comment{text, i + 1})
		}
	}
	return found
}
