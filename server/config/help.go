package config

import (
	"fmt"
	"strings"
)

// helpWidth is that of a terminal nobody has changed.
const helpWidth = 80

// Help returns the text of --help.
func Help() string {
	c := Default()
	var b strings.Builder
	b.WriteString("sockmux carries the TCP connections of programs in browsers in one WebSocket.\n\nUsage: sockmux [FLAG...]\n\n")
	b.WriteString("Each flag is also a variable: --dial-timeout is SOCKMUX_DIAL_TIMEOUT, and a line\n")
	b.WriteString("of the file of --config. Flags are stronger than variables, these than the file.\n")
	b.WriteString("A variable lists several values with commas. Times are 500ms, 30s, 2m.\n")
	group := ""
	for _, s := range settingsOf(&c) {
		if s.group != group {
			group = s.group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		b.WriteString("  " + s.usage() + "\n")
		for _, line := range wrapped(s.about(), helpWidth-8) {
			b.WriteString("        " + line + "\n")
		}
	}
	return b.String()
}

// usage is the flag as one writes it.
func (s setting) usage() string {
	usage := "--" + s.name
	if s.short != "" {
		usage = "-" + s.short + ", " + usage
	}
	if s.hint != "" {
		usage += " " + s.hint
	}
	return usage
}

// about is the help with what the table adds to it.
func (s setting) about() string {
	about := s.help
	if s.repeatable {
		about += " (may be repeated)"
	}
	if s.initial != "" {
		about += " (default " + s.initial + ")"
	}
	return about
}

// wrapped breaks a text at spaces into lines of at most width letters; a longer word has a line of its own.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Flag is one flag, for the completion of shells.
type Flag struct {
	Name, Hint, Help string // Hint stands for the value; empty: there is none
	Repeatable       bool
}

// Flags lists all flags in the order of the help.
func Flags() (flags []Flag) {
	c := Default()
	for _, s := range settingsOf(&c) {
		flags = append(flags, Flag{s.name, s.hint, s.help, s.repeatable})
	}
	return flags
}
