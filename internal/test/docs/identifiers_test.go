package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// foreignNames are of variables or packages that have the name of a package here.
var foreignNames = []string{"config.DialFunc", "config.LookupFunc", "session.Open", "runtime.Caller", "runtime.Callers"}

// qualified is a name with the name of its package.
var qualified = regexp.MustCompile(`(?:^|[^\w./-])([a-z]+)\.([A-Z]\w*)`)

// Each package.Name that a comment of Go or a document names is declared.
func TestIdentifiers(t *testing.T) {
	tree := newTree(t)
	declared := map[string]map[string]bool{}
	for _, file := range tree.files {
		if path.Ext(file) == ".go" && tree.read(file) {
			declare(t, file, declared)
		}
	}
	for _, file := range tree.files {
		if extension := path.Ext(file); extension != ".go" && extension != ".md" || !tree.read(file) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range prose(file, string(content)) {
			for _, m := range qualified.FindAllStringSubmatch(c.text, -1) {
				names := declared[m[1]]
				if m[1] == "sockmux" || names == nil || names[m[2]] || slices.Contains(foreignNames, m[1]+"."+m[2]) {
					continue
				}
				t.Errorf("%s:%d: not declared: %s.%s", file, c.line, m[1], m[2])
			}
		}
	}
}

// declare adds the names that a file declares, with fields and methods, to those of its package.
func declare(t *testing.T, file string, declared map[string]map[string]bool) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimSuffix(parsed.Name.Name, "_test")
	if declared[name] == nil {
		declared[name] = map[string]bool{}
	}
	ast.Inspect(parsed, func(node ast.Node) bool {
		var names []*ast.Ident
		switch node := node.(type) {
		case *ast.FuncDecl:
			names = []*ast.Ident{node.Name}
		case *ast.TypeSpec:
			names = []*ast.Ident{node.Name}
		case *ast.ValueSpec:
			names = node.Names
		case *ast.Field:
			names = node.Names
		}
		for _, n := range names {
			declared[name][n.Name] = true
		}
		return true
	})
}
