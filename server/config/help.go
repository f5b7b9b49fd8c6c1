package config

import (
	"fmt"
	"strings"
)

// helpWidth is the default width of a terminal.
const helpWidth = 80

// introduction precedes the flags.
const introduction = `sockmux carries the TCP connections of programs in browsers over one WebSocket.

Usage:
  sockmux [FLAG...]               run the server
  sockmux COMMAND [ARGUMENT...]   run a command; the list is at the end

A session is one page, or another client, with its WebSocket. A stream is one
TCP connection within a session.

Each flag is also an environment variable and a key of the file of --config:
--dial-timeout is SOCKMUX_DIAL_TIMEOUT and dial-timeout. In the file, the flags
under Limits belong into the section limits. Flags override variables, and
variables override the file. In a variable, commas separate several values.
Times are written 500ms, 30s, 2m. Sizes are written 500k, 20M, 1MiB.
`

// Help returns the text of --help.
func Help() string {
	c := Default()
	var b strings.Builder
	b.WriteString(introduction)
	group := ""
	for _, s := range settingsOf(&c) {
		if s.group != group {
			group = s.group
			fmt.Fprintf(&b, "\n%s:\n", group)
		}
		b.WriteString("  " + s.usage() + "\n")
		b.WriteString(Indented(s.about()))
	}
	return b.String()
}

// usage returns the flag with the name of its value.
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

// about returns the help with what the table adds to it.
func (s setting) about() string {
	about := s.sentences()
	if s.initial != "" {
		about += " (default " + s.initial + ")"
	}
	return about
}

// sentences returns the help, and whether the flag may be repeated.
func (s setting) sentences() string {
	if s.repeatable {
		return s.help + " Repeatable."
	}
	return s.help
}

// Indented returns a text as the help shows it below a flag or command.
func Indented(text string) string {
	var b strings.Builder
	for _, line := range wrapped(text, helpWidth-8) {
		b.WriteString("        " + line + "\n")
	}
	return b.String()
}

// wrapped breaks a text at spaces into lines of at most width letters. A longer word has a line
// of its own.
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
