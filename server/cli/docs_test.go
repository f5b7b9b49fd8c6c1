package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/session/limit"
)

func operationsText(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// The table of commands in docs/OPERATIONS.md is the program's help. To write it anew,
// put what the failure prints between the marks.
func TestDocumentedCommands(t *testing.T) {
	_, rest, found := strings.Cut(operationsText(t), "<!-- commands -->\n")
	table, _, ended := strings.Cut(rest, "<!-- /commands -->")
	if !found || !ended {
		t.Fatal("docs/OPERATIONS.md has no table between <!-- commands --> and <!-- /commands -->")
	}
	want := "| command | meaning |\n|---|---|\n"
	for _, s := range subcommands() {
		want += "| `sockmux " + s.name + " " + strings.ReplaceAll(s.usage, "|", `\|`) + "` | " + s.about + " |\n"
	}
	if table != want {
		t.Errorf("docs/OPERATIONS.md has another table than the help, which is:\n%s", want)
	}
}

// Every reason of a refusal is explained, and no other.
func TestDocumentedReasons(t *testing.T) {
	_, rest, _ := strings.Cut(operationsText(t), "| reason | limit |")
	table, _, _ := strings.Cut(rest, "\n\n")
	for _, reason := range limit.Reasons() {
		if !strings.Contains(table, "\n| `"+string(reason)+"` | ") {
			t.Errorf("docs/OPERATIONS.md does not explain %s", reason)
		}
	}
	if rows := strings.Count(table, "\n| `"); rows != len(limit.Reasons()) {
		t.Errorf("docs/OPERATIONS.md has %d reasons, there are %d", rows, len(limit.Reasons()))
	}
}

// The program accepts the file that the documentation shows, but for the files of another
// machine that it names.
func TestDocumentedFile(t *testing.T) {
	_, rest, _ := strings.Cut(operationsText(t), "```yaml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/OPERATIONS.md has no example of a file")
	}
	f := servertest.NewFolder(t)
	_, line := servertest.NewToken(t, "alice", "staff")
	f.Put("tokens", line)
	for _, setting := range []string{"tls-cert: /etc/sockmux/cert.pem\n", "tls-key: /etc/sockmux/key.pem\n"} {
		if !strings.Contains(example, setting) {
			t.Errorf("the example has no %q", setting)
		}
		example = strings.Replace(example, setting, "", 1)
	}
	f.Put("sockmux.yaml", strings.ReplaceAll(example, "/etc/sockmux/", filepath.ToSlash(f.Path)+"/"))
	settings, err := config.Load([]string{"--config", f.File("sockmux.yaml")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if staff := settings.Policies["staff"]; settings.MaxSessions != 2000 || staff.Limits.BytesPerDay != 50e9 || staff.Limits.BytesPerSecond != 0 || settings.Limits.BytesPerSecond != 5e6 || len(staff.Rules) != 2 {
		t.Errorf("%+v", settings)
	}
}
