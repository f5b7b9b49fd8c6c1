package tracing_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/ops/tracing"
)

func TestReadHeaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "headers")
	for content, want := range map[string]string{
		"Good: 1\nno colon s3cret\n":           path + ":2: no header",
		"\n\nbad name: s3cret\n":               path + ":3: no header",
		"Empty:\n":                             path + ":1: no header",
		"Control: s3\x00cret\n":                path + ":1: no header",
		"# none\n":                             path + " has no header",
		"Long: " + strings.Repeat("x", 16<<10): path + " is longer than 16384 bytes",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tracing.ReadHeaders(path); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%.20q: %v, want %s", content, err, want)
		}
	}
	if err := os.WriteFile(path, []byte("Authorization: Basic a:b==\r\nX-Two:2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := tracing.ReadHeaders(path); err != nil || len(got) != 2 || got["Authorization"] != "Basic a:b==" || got["X-Two"] != "2" {
		t.Errorf("%v, %v", got, err)
	}
}
