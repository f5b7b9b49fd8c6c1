package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
)

// subcommand is what the command does in place of serving when its first argument says so.
type subcommand struct {
	name, usage, about string
	run                func(ctx context.Context, c call) error
}

// call is what a subcommand is given.
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
		{"token new", "NAME [--policy NAME] [--expires TIME]", "make a token: print it, and its line for the file of --token-file", tokenNew},
		{"token hash", "[NAME [--policy NAME] [--expires TIME]]", "read a token from standard input; print its hash, or with a name its line", tokenHash},
		{"token verify", "FILE", "read a token from standard input; say whose it is by that file", tokenVerify},
		{"check-policy", "HOST:PORT [--as TOKEN | --policy NAME] [FLAG...]", "say rule by rule whether that target may be reached; --as - reads the token from standard input", checkPolicy},
		{"socks", clientUsage + " [--listen HOST:PORT]", "serve SOCKS 5, 4a and 4 to local programs and reach their targets through a server, as ssh -D does; the token is in a file or in SOCKMUX_TOKEN", socksCommand},
		{"forward", clientUsage + " [HOST:]PORT|- TARGET:PORT", "forward a local port, or with - standard input and output, to a target through a server, as ssh -L and ssh -W do", forwardCommand},
		{"completion", "bash|zsh|fish", "print a script that completes flags in that shell", completion},
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

// findSubcommand returns the subcommand that the arguments name, and the arguments behind its name. Without one it returns nil; the error is about a word that begins no
// subcommand.
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

// helpOfSubcommands is the part of --help about them.
func helpOfSubcommands() string {
	var b strings.Builder
	b.WriteString("\nCommands, in place of flags:\n")
	for _, s := range subcommands() {
		fmt.Fprintf(&b, "  sockmux %s %s\n        %s\n", s.name, s.usage, s.about)
	}
	return b.String()
}
