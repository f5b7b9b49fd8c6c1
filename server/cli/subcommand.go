package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sockmux/sockmux/server/config"
)

// subcommand is a command that runs in place of the server.
type subcommand struct {
	name, usage, about string
	run                func(ctx context.Context, c call) error
}

// call holds the arguments and streams of a subcommand.
type call struct {
	args        []string // behind its name
	environment []string
	stdin       io.Reader
	stdout      io.Writer
	stderr      io.Writer
}

// subcommands lists them. It is a function because the completion lists them too.
func subcommands() []subcommand {
	return []subcommand{
		{"token new", "NAME [--policy NAME] [--expires TIME]", "Make a token. Print it, and its line for the file of --token-file.", tokenNew},
		{"token hash", "[NAME [--policy NAME] [--expires TIME]]", "Read a token from standard input. Print its hash or, with NAME, its line for the file of --token-file.", tokenHash},
		{"token verify", "FILE", "Read a token from standard input. Print the name, policy and expiry that FILE gives it.", tokenVerify},
		{"check-policy", "HOST:PORT [--as TOKEN | --policy NAME] [FLAG...]", "Print, rule by rule, whether the policy allows a target. With --as -, the token comes from standard input.", checkPolicy},
		{"socks", clientUsage + " [--listen HOST:PORT]", "Serve SOCKS 5, 4a and 4 to local programs and reach their targets through a server, as ssh -D does. The token is in a file or in SOCKMUX_TOKEN.", socksCommand},
		{"forward", clientUsage + " [HOST:]PORT|- TARGET:PORT", "Forward a local port to a target through a server, as ssh -L does. With -, forward standard input and output, as ssh -W does.", forwardCommand},
		{"completion", "bash|zsh|fish", "Print a script that completes flags in a shell.", completion},
	}
}

// usageError is a mistake in how the command was called.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// misused makes a usageError that ends with how a subcommand is called.
func misused(name, format string, values ...any) error {
	text := fmt.Sprintf(format, values...)
	for _, s := range subcommands() {
		if s.name == name {
			text += ": want sockmux " + s.name + " " + s.usage
		}
	}
	return usageError{text}
}

// findSubcommand returns the subcommand that the arguments name, and the arguments behind its
// name. It returns nil if the arguments begin with a flag or are empty. It returns an error if
// the first word begins no subcommand.
func findSubcommand(args []string) (*subcommand, []string, error) {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return nil, nil, nil
	}
	var names []string
	for _, s := range subcommands() {
		words := strings.Fields(s.name)
		names = append(names, s.name)
		if len(args) >= len(words) && strings.Join(args[:len(words)], " ") == s.name {
			return &s, args[len(words):], nil
		}
	}
	return nil, nil, usageError{fmt.Sprintf("%s: not expected: want a flag, or one of %s; see sockmux --help", args[0], strings.Join(names, ", "))}
}

// help returns how the subcommand is called and what it does.
func (s subcommand) help() string {
	// A bracket and what is in it stay on one line.
	const space = "\x00"
	depth, usage := 0, ""
	for _, letter := range s.usage {
		switch {
		case letter == '[':
			depth++
		case letter == ']':
			depth--
		case letter == ' ' && depth > 0:
			usage += space
			continue
		}
		usage += string(letter)
	}
	lines := strings.TrimPrefix(config.Indented("sockmux "+s.name+" "+usage), "      ")
	return strings.ReplaceAll(lines, space, " ") + config.Indented(s.about)
}

// asksForHelp reports whether a subcommand's arguments ask how it is called.
func asksForHelp(args []string) bool {
	return slices.Contains(args, "--help") || slices.Contains(args, "-h")
}

// helpOfSubcommands returns the part of --help about them.
func helpOfSubcommands() string {
	var b strings.Builder
	b.WriteString("\nCommands:\n")
	for _, s := range subcommands() {
		b.WriteString(s.help())
	}
	return b.String()
}
