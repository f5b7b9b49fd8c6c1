package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/config"
)

// forUsers are the documents for users.
var forUsers = []string{
	"README.md", "SECURITY.md", "docs/DEPLOYMENT.md", "docs/EMSCRIPTEN.md", "docs/GO.md",
	"docs/OPERATIONS.md", "docs/PHP.md", "docs/WEBR.md", "examples/README.md", "js/README.md",
}

// forDevelopers are the documents about the inside, which may use the words of the code.
var forDevelopers = []string{
	"docs/ARCHITECTURE.md", "docs/GLOSSARY.md", "docs/PERFORMANCE.md", "docs/PROTOCOL.md", "docs/RELIABILITY.md",
	"docs/SECURITY.md", "js/src/README.md",
}

// retired are words that no document has. docs/GLOSSARY.md has the terms in their place.
var retired = regexp.MustCompile(`(?i)\b(nobody|somebody|whoever|everybody|anybody|parcels?|accepter|openers?)\b`)

// people are words that no comment has: a comment names what acts.
var people = regexp.MustCompile(`(?i)\b(nobody|somebody|whoever|everybody|anybody)\b`)

// inside are words of the code that texts for users do not have.
var inside = regexp.MustCompile(`(?i)\b(carriers?|bare messages?)\b`)

// header has a word that is retired, by its standard.
var header = regexp.MustCompile("Cross-Origin-Opener-Policy")

func TestRetiredWords(t *testing.T) {
	check := func(name, text string, words *regexp.Regexp) {
		for i, line := range strings.Split(text, "\n") {
			if word := words.FindString(header.ReplaceAllString(line, "")); word != "" {
				t.Errorf("%s:%d: %q: %s", name, i+1, word, line)
			}
		}
	}
	check("--help", config.Help(), retired)
	check("--help", config.Help(), inside)
	for _, document := range slices.Concat(forUsers, forDevelopers) {
		content, err := os.ReadFile(filepath.Join(root, document))
		if err != nil {
			t.Fatal(err)
		}
		check(document, string(content), retired)
		if slices.Contains(forUsers, document) {
			check(document, string(content), inside)
		}
	}
}

// Comments in the code have none of the retired words for people.
func TestRetiredWordsOfComments(t *testing.T) {
	tree := newTree(t)
	for _, file := range tree.files {
		if filepath.Ext(file) == ".md" || !tree.read(file) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range prose(file, string(content)) {
			if word := people.FindString(c.text); word != "" {
				t.Errorf("%s:%d: %q: %s", file, c.line, word, c.text)
			}
		}
	}
}

// The glossary is short, and has each term once.
func TestGlossary(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "docs/GLOSSARY.md"))
	if err != nil {
		t.Fatal(err)
	}
	const most = 30
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| ([^|]+) \| `).FindAllStringSubmatch(string(content), -1) {
		if seen[m[1]] {
			t.Errorf("twice: %s", m[1])
		}
		seen[m[1]] = true
	}
	delete(seen, "term")
	if len(seen) < most/2 || len(seen) > most {
		t.Errorf("%d terms, want at most %d", len(seen), most)
	}
}
