package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every target and origin that help and documentation show is one that the program takes.
func TestExamples(t *testing.T) {
	content, err := os.ReadFile("../../docs/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	var arguments []string
	for _, match := range regexp.MustCompile(`--(allow|deny|allow-origin) ('[^']+'|[^\s'A-Z]\S*)`).FindAllStringSubmatch(string(content), -1) {
		if value := strings.Trim(match[2], "'`.,;)"); strings.ContainsAny(value, ".*:") || value == "public" {
			arguments = append(arguments, "--"+match[1], value)
		}
	}
	c := Default()
	for _, s := range settingsOf(&c) {
		if s.name == "allow" || s.name == "allow-origin" {
			_, examples, _ := strings.Cut(strings.TrimSuffix(s.help, "."), ": ")
			for _, example := range regexp.MustCompile(`,? or |, `).Split(examples, -1) {
				if example != "HOST:PORT" {
					arguments = append(arguments, "--"+s.name, example)
				}
			}
		}
	}
	const least = 15 // pairs that are there today; fewer means that the patterns above find no examples any more
	if len(arguments) < 2*least {
		t.Errorf("%d examples: %q", len(arguments)/2, arguments)
	}
	mustLoad(t, arguments, nil)
}
