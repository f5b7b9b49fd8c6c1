package docs_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// maxComment is how many columns a line of a comment has at most. Comments are wrapped at 90.
const maxComment = 100

// Lines of comments are short, but for code in them, which a tab indents, and directives.
func TestCommentWidth(t *testing.T) {
	tree := newTree(t)
	for _, file := range tree.files {
		if path.Ext(file) != ".go" || !tree.read(file) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			text := strings.TrimLeft(line, "\t")
			columns := len([]rune(text)) + 4*(len(line)-len(text))
			if strings.HasPrefix(text, "// ") && columns > maxComment {
				t.Errorf("%s:%d: a comment of %d columns: wrap it at 90", file, i+1, columns)
			}
		}
	}
}
