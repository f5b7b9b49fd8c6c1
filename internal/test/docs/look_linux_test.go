package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// lookup is a row of "Where to look" in docs/ARCHITECTURE.md: question, folder, command, place.
var lookup = regexp.MustCompile("(?m)^\\| ([^|]+\\?) \\| (\\S+) \\| `(grep [^`]+)` \\| ([\\w/.]+)")

// Each command of "Where to look" prints the place, and little else.
func TestWhereToLook(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "docs/ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := lookup.FindAllStringSubmatch(string(content), -1)
	if len(rows) != 12 {
		t.Errorf("%d questions, want 12", len(rows))
	}
	for _, row := range rows {
		question, folder, command, place := row[1], row[2], row[3], row[4]
		if entry, err := os.Stat(filepath.Join(root, folder)); err != nil || !entry.IsDir() {
			t.Errorf("%s no folder %s", question, folder)
		}
		grep := exec.Command("sh", "-c", command)
		grep.Dir = root
		out, err := grep.CombinedOutput()
		if err != nil {
			t.Errorf("%s %s: %v\n%s", question, command, err, out)
			continue
		}
		const most = 5
		found := strings.Fields(string(out))
		if len(found) > most || !strings.Contains(" "+strings.Join(found, " ")+" ", " "+place+" ") {
			t.Errorf("%s %s prints %q, want %s and at most %d more", question, command, found, place, most-1)
		}
	}
}
