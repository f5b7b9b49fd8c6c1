package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/config"
)

// rows returns the cells of a table of docs/RELIABILITY.md between two marks, without its
// head.
func rows(t *testing.T, mark string) (cells [][]string) {
	t.Helper()
	content, err := os.ReadFile("../../docs/RELIABILITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(content), "<!-- "+mark+" -->\n")
	table, _, ends := strings.Cut(rest, "<!-- /"+mark+" -->")
	if !begins || !ends {
		t.Fatalf("docs/RELIABILITY.md has no table between <!-- %s --> and <!-- /%s -->", mark, mark)
	}
	for line := range strings.Lines(table) {
		row := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		cells = append(cells, row)
	}
	return cells[2:]
}

// The time limits of the document are those of the code.
func TestDocumentedTimes(t *testing.T) {
	folders := map[string]string{"client": "../../shared/client", "link": "../../shared/link", "session": "../session", "mux": "../../shared/mux", "fronts": "../fronts"}
	defaults := config.Default()
	flags := map[string]time.Duration{
		"--grace": defaults.Grace, "--drain-delay": defaults.DrainDelay, "--drain-timeout": defaults.DrainTimeout,
		"--keepalive": defaults.Keepalive, "--handshake-timeout": defaults.HandshakeTimeout,
	}
	checked := 0
	for _, row := range rows(t, "times") {
		_, name, _ := strings.Cut(row[0], "`")
		name, rest, _ := strings.Cut(name, "`")
		want, err := time.ParseDuration(row[1])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got time.Duration
		folder, constant, isConstant := strings.Cut(name, ".")
		switch {
		case strings.HasPrefix(name, "--") && strings.HasPrefix(rest, ","): // a client's time beyond the server's
			got = flags[name] + 4*defaults.Keepalive + 20*time.Second
		case strings.HasPrefix(name, "--"):
			got = flags[name]
		case isConstant && constant == "Config.FirstDeadAfter":
			got = durationOf(t, folders["link"], "DefaultDeadAfter")
		case isConstant:
			got = durationOf(t, folders[folder], constant)
		}
		if got != want {
			t.Errorf("%s is %s, docs/RELIABILITY.md says %s", name, got, want)
		}
		checked++
	}
	if checked < 12 {
		t.Errorf("only %d times are documented", checked)
	}
}

// durationOf evaluates a constant of a package.
func durationOf(t *testing.T, folder, name string) time.Duration {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			general, ok := d.(*ast.GenDecl)
			if !ok || general.Tok != token.CONST {
				continue
			}
			for _, spec := range general.Specs {
				value := spec.(*ast.ValueSpec)
				if value.Names[0].Name == name && len(value.Values) == 1 {
					return evaluated(t, value.Values[0])
				}
			}
		}
	}
	t.Errorf("%s has no constant %s", folder, name)
	return 0
}

// evaluated is the value of a number, a unit of time, or a product of such.
func evaluated(t *testing.T, e ast.Expr) time.Duration {
	t.Helper()
	units := map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}
	switch e := e.(type) {
	case *ast.BinaryExpr:
		if e.Op == token.MUL {
			return evaluated(t, e.X) * evaluated(t, e.Y)
		}
	case *ast.BasicLit:
		n, err := strconv.ParseInt(e.Value, 10, 64)
		if err == nil {
			return time.Duration(n)
		}
	case *ast.SelectorExpr:
		if unit, ok := units[e.Sel.Name]; ok {
			return unit
		}
	}
	t.Errorf("%#v is no time", e)
	return 0
}
