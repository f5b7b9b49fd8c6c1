package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestHelp(t *testing.T) {
	help := Help()
	c := Default()
	for _, s := range settingsOf(&c) {
		if !strings.Contains(help, "--"+s.name) {
			t.Errorf("the help has no --%s", s.name)
		}
		if s.help == "" || s.group == "" {
			t.Errorf("--%s has no help", s.name)
		}
		for _, sentence := range strings.SplitAfter(s.help, ". ") {
			if words := strings.Fields(sentence); len(words) > 20 || !strings.HasSuffix(strings.TrimSpace(sentence), ".") {
				t.Errorf("--%s: %d words, want a sentence of at most 20: %s", s.name, len(words), sentence)
			}
		}
	}
	for _, line := range strings.Split(help, "\n") {
		if len(line) > helpWidth && strings.Contains(strings.TrimSpace(line), " ") {
			t.Errorf("%d letters wide: %s", len(line), line)
		}
	}
	const want = "  --dial-timeout TIME\n        Time limit for resolving and connecting to a target. (default 30s)\n"
	if !strings.Contains(help, want) {
		t.Errorf("the help does not contain\n%s\nbut is\n%s", want, help)
	}
}

// What is printed gives the same configuration again.
func TestPrint(t *testing.T) {
	c := mustLoad(t, []string{
		"--listen", "[::1]:9", "--prefix", "/p", "--allow-origin", "https://a.example", "--allow-origin", "null", "--allow-origin", "http://localhost:*",
		"--allow", "a.example:1", "--deny", "*:25", "--allow", "127.0.0.1:2", "--demo", "--idle-timeout", "0", "--grace", "90s", "--log-level", "error", "--log-format", "text",
		"--bytes-per-day", "3000000", "--config", write(t, "policies: {staff: {rules: [{deny: 10.0.0.1}, {allow: ['[fd00::]/8', '*.b.example:443']}], limits: {max-streams: 3}}, guests: }"),
	}, []string{"SOCKMUX_KEEPALIVE=7s"})
	printed := c.Print()
	again := mustLoad(t, []string{"--config", write(t, printed)}, nil)
	c.File, again.File = "", ""
	delete(c.Policies, "guests") // says nothing, so there is nothing to print
	if !reflect.DeepEqual(c, again) {
		t.Errorf("%s\nread again: %+v\nwant %+v", printed, *again, *c)
	}
	const want = `listen: '[::1]:9'
prefix: /p/
insecure-no-auth: false
allow-origin:
  - https://a.example
  - null
  - http://localhost:*
demo: true
`
	if !strings.HasPrefix(printed, want) {
		t.Errorf("printed\n%s\nwant first\n%s", printed, want)
	}
	for _, part := range []string{
		"\nlimits:\n  max-sessions: 1000\n", "\n  keepalive: 7s\n", "\n  idle-timeout: 0\n", "\n  bytes-per-day: 3M\n", "\nlog-level: error\n",
		"\npolicies:\n  default:\n    rules:\n      - allow: a.example:1\n      - deny: '*:25'\n      - allow: 127.0.0.1:2\n  staff:\n    rules:\n      - deny: 10.0.0.1\n      - allow: '[fd00::]/8'\n",
		"\n    limits:\n      max-streams: 3\n",
	} {
		if !strings.Contains(printed, part) {
			t.Errorf("%q is missing in\n%s", part, printed)
		}
	}
}

// The table of docs/OPERATIONS.md is the program's help. To write it anew, put what the
// failure prints between the marks.
func TestDocumentation(t *testing.T) {
	content, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(content), "<!-- flags -->\n")
	table, _, ended := strings.Cut(rest, "<!-- /flags -->")
	if !found || !ended {
		t.Fatal("docs/OPERATIONS.md has no table between <!-- flags --> and <!-- /flags -->")
	}
	if want := markdown(); table != want {
		t.Errorf("docs/OPERATIONS.md has another table than the help, which is:\n%s", want)
	}
}

func markdown() string {
	c := Default()
	var b strings.Builder
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	for _, s := range settingsOf(&c) {
		initial := ""
		if s.initial != "" {
			initial = "`" + s.initial + "`"
		}
		// An asterisk would begin emphasis.
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.usage(), initial, strings.ReplaceAll(s.sentences(), "*", `\*`))
	}
	return b.String()
}
