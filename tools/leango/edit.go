package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// changes are what becomes of one package.
type changes struct {
	bodies   map[string]string // by NAME or TYPE.NAME: statements in place of a function's own
	settings map[string]string // by field of the variable debug: the value where code reads it
	added    map[string]string // by file name: the content of a file of ours
	found    map[string]bool   // functions of bodies that were seen
}

// edit replaces the bytes of a file between from and to.
type edit struct {
	from, to int
	text     string
}

// apply returns the source with its changes, and marks the functions that it found.
func (c changes) apply(name string, source []byte) ([]byte, error) {
	file, err := parse(name, source)
	if err != nil {
		return nil, err
	}
	if err := c.checkDefaults(file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	at := func(p token.Pos) int { return int(p - file.FileStart) }
	var edits []edit
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		if body, ok := c.bodies[functionName(f)]; ok {
			c.found[functionName(f)] = true
			edits = append(edits, edit{at(f.Body.Lbrace) + 1, at(f.Body.Rbrace), " " + body + " "})
			continue
		}
		for _, r := range c.reads(f.Body) {
			edits = append(edits, edit{at(r.node.Pos()), at(r.node.End()), r.value})
		}
	}
	if len(edits) == 0 {
		return source, nil
	}
	return blankImports(name, splice(source, edits))
}

func parse(name string, source []byte) (*ast.File, error) {
	return parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
}

// splice returns the source with edits that do not overlap.
func splice(source []byte, edits []edit) []byte {
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var out bytes.Buffer
	done := 0
	for _, e := range edits {
		out.Write(source[done:e.from])
		out.WriteString(e.text)
		done = e.to
	}
	out.Write(source[done:])
	return out.Bytes()
}

// functionName returns NAME, or TYPE.NAME for a method.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if of, ok := of.(*ast.Ident); ok {
		return of.Name + "." + f.Name.Name
	}
	return ""
}

// blankImports gives the blank name to imports whose last use was cut.
func blankImports(name string, source []byte) ([]byte, error) {
	file, err := parse(name, source)
	if err != nil {
		return nil, err
	}
	used := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				used[x.Name] = true
			}
		}
		return true
	})
	var edits []edit
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if spec.Name == nil && !used[path.Base(imported)] {
			start := int(spec.Pos() - file.FileStart)
			edits = append(edits, edit{start, start, "_ "})
		}
	}
	return splice(source, edits), nil
}
