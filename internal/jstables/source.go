package jstables

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// constants returns the constants of a file whose values are literals.
func constants(file string) (table, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, err
	}
	var t table
	for _, d := range parsed.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, s := range group.Specs {
			spec := s.(*ast.ValueSpec)
			value, ok := spec.Values[0].(*ast.BasicLit)
			if !ok || len(spec.Names) != 1 || value.Kind != token.INT {
				return nil, fmt.Errorf("%s: the value of %s is no number", file, spec.Names[0])
			}
			t = append(t, constant{spec.Names[0].Name, value.Value})
		}
	}
	return t.literals(), nil
}

// raw is text that stands in the file as it is.
type raw string

func (t table) literals() table {
	for i := range t {
		t[i].value = raw(t[i].value.(string))
	}
	return t
}

// importModule is the module of the wasm's imports that are ours.
const importModule = "sockmux"

// boundaryTypes returns the types of what the wasm in a folder exports and imports, so that tsc
// checks each name and each number of arguments in js/src/engine.
func boundaryTypes(folder string) ([]byte, error) {
	exports, err := functions(folder+"/main_js.go", "//go:wasmexport ", "")
	if err != nil {
		return nil, err
	}
	imports, err := functions(folder+"/imports_js.go", "//go:wasmimport ", importModule+" ")
	if err != nil {
		return nil, err
	}
	b := header("wasm", "The names of the boundary to Go. Pointers and lengths are in bytes.")
	fmt.Fprintf(b, "/**\n * What Go exports. wasm/main_js.go says what each does.\n * @typedef {object} Exports\n * @property {WebAssembly.Memory} mem\n%s */\n\n", exports)
	fmt.Fprintf(b, "/**\n * What Go imports. wasm/imports_js.go says what each does.\n * @typedef {object} Imports\n%s */\n\n/** The module that Go imports. */\nexport const MODULE = '%s';\n", imports, importModule)
	return b.Bytes(), nil
}

// functions returns a line for each function of a file that has the directive.
func functions(file, directive, module string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return "", err
	}
	var lines strings.Builder
	for _, d := range parsed.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Doc == nil {
			continue
		}
		for _, comment := range f.Doc.List {
			name, ok := strings.CutPrefix(comment.Text, directive+module)
			if !ok {
				continue
			}
			result := "void"
			if f.Type.Results != nil {
				result = "number"
			}
			fmt.Fprintf(&lines, " * @property {(%s) => %s} %s\n", parameters(f.Type.Params), result, name)
		}
	}
	return lines.String(), nil
}

func parameters(list *ast.FieldList) string {
	var names []string
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name+": number")
		}
	}
	return strings.Join(names, ", ")
}
