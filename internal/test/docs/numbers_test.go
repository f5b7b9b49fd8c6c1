package docs_test

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// numbers are phrases of documents, and the constants that they repeat.
var numbers = []struct {
	document, phrase, file, constant string
	value                            int64
}{
	{"docs/PROTOCOL.md", "A message is at most 1 MiB", "shared/wire/link.go", "MaxMessage", 1 << 20},
	{"docs/PROTOCOL.md", "1 to 8192 bytes", "shared/wire/hello.go", "MaxToken", 8192},
	{"docs/PROTOCOL.md", "text, at most 128 bytes: name and version of the client", "shared/wire/hello.go", "MaxAgent", 128},
	{"docs/PROTOCOL.md", "text until the end (at most 512 bytes)", "shared/wire/request.go", "MaxText", 512},
	{"docs/PROTOCOL.md", "There are at most 64 addresses, in the order in which to try them", "shared/wire/addresses.go", "MaxAddresses", 64},
	{"docs/PROTOCOL.md", "and at most 16 names", "shared/wire/addresses.go", "MaxNames", 16},
	{"docs/PROTOCOL.md", "A data frame carries at most 64 KiB", "shared/mux/write.go", "MaxFrame", 64 << 10},
	{"docs/PROTOCOL.md", "A stream's window is 256 KiB", "shared/mux/window.go", "firstWindow", 256 << 10},
	{"docs/PROTOCOL.md", "more than 256 streams that the server has not taken yet", "shared/mux/reader.go", "backlog", 256},
	{"docs/PROTOCOL.md", "more than 512 pings", "shared/mux/reader.go", "maxPings", 512},
	{"docs/PROTOCOL.md", "65536 RESETs whose answers wait", "shared/mux/control.go", "maxAnswers", 65536},
	{"docs/PROTOCOL.md", "The second waits 250 ms", "shared/client/backoff.go", "minBackoff", int64(250 * time.Millisecond)},
	{"docs/PROTOCOL.md", "each later one twice as long, up to 10 s", "shared/client/backoff.go", "maxBackoff", int64(10 * time.Second)},
	{"docs/PROTOCOL.md", "lived for less than 500 ms", "shared/client/resume.go", "fruitless", int64(500 * time.Millisecond)},
	{"docs/PROTOCOL.md", "no WELCOME for 15 s", "shared/client/session.go", "answerTimeout", int64(15 * time.Second)},
	{"docs/PROTOCOL.md", "when nothing has arrived for 3 s", "shared/client/client.go", "probeTimeout", int64(3 * time.Second)},
	{"docs/PROTOCOL.md", "It gives up after 2 s without progress", "shared/client/close.go", "flushTimeout", int64(2 * time.Second)},
	{"docs/ARCHITECTURE.md", "Each stream begins with 256 KiB", "shared/mux/window.go", "firstWindow", 256 << 10},
}

// A number in a document is that of the constant.
func TestNumbers(t *testing.T) {
	for _, n := range numbers {
		content, err := os.ReadFile(filepath.Join(root, n.document))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(strings.Fields(string(content)), " "), n.phrase) {
			t.Errorf("%s does not say %q", n.document, n.phrase)
		}
		if value := constantOf(t, n.file, n.constant); value != n.value {
			t.Errorf("%s: %s is %d; %s says %q", n.file, n.constant, value, n.document, n.phrase)
		}
	}
}

// times are the units of package time, which an expression may name.
var times = strings.NewReplacer("time.Second", "1000000000", "time.Millisecond", "1000000", "time.Minute", "60000000000")

// constantOf evaluates a constant that a file declares.
func constantOf(t *testing.T, file, name string) int64 {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found ast.Expr
	ast.Inspect(parsed, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok {
			for i, n := range spec.Names {
				if n.Name == name && i < len(spec.Values) {
					found = spec.Values[i]
				}
			}
		}
		return true
	})
	if found == nil {
		t.Fatalf("%s declares no constant %s", file, name)
	}
	text := string(source[files.Position(found.Pos()).Offset:files.Position(found.End()).Offset])
	result, err := types.Eval(token.NewFileSet(), nil, token.NoPos, times.Replace(text))
	if err != nil {
		t.Fatalf("%s: %s: %v", file, name, err)
	}
	value, exact := constant.Int64Val(constant.ToInt(result.Value))
	if !exact {
		t.Fatalf("%s: %s is no whole number: %s", file, name, text)
	}
	return value
}
