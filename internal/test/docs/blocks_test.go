package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// root is the project's folder.
const root = "../../.."

// documents are those whose snippets are run.
var documents = []string{"README.md", "docs/OPERATIONS.md", "docs/DEPLOYMENT.md", "docs/WEBR.md", "docs/EMSCRIPTEN.md", "docs/GO.md", "js/README.md", "examples/README.md"}

// block is a snippet.
type block struct {
	place    string // FILE:LINE
	language string // what follows the fence
	lines    []string
}

func (b block) text() string { return strings.Join(b.lines, "\n") + "\n" }

// blocks returns the snippets of a document. A block that is only indented has no language, so
// it is a mistake.
func blocks(t *testing.T, path string) (found []block) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	var open *block
	blank := true
	for i, line := range strings.Split(string(content), "\n") {
		place := fmt.Sprintf("%s:%d", path, i+1)
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{place: place, language: language}
		case fence:
			found = append(found, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, line)
		case blank && strings.HasPrefix(line, "    "):
			t.Errorf("%s: an indented block: write ``` and its language", place)
		}
		blank = line == ""
	}
	if open != nil {
		t.Errorf("%s: the block does not end", open.place)
	}
	return found
}

// commands joins the lines of a shell's block that a backslash continues, without comments.
func commands(b block) (list []string) {
	joined := ""
	for _, line := range b.lines {
		line = withoutComment(line)
		if part, more := strings.CutSuffix(line, `\`); more {
			joined += part
			continue
		}
		if joined += line; strings.TrimSpace(joined) != "" {
			list = append(list, strings.TrimSpace(joined))
		}
		joined = ""
	}
	return list
}

// withoutComment cuts what follows a # behind two spaces or at the line's beginning.
func withoutComment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return ""
	}
	line, _, _ = strings.Cut(line, "  #")
	return strings.TrimRight(line, " ")
}
