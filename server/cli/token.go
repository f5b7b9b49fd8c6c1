package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/shared/wire"
)

// tokenNew prints a new token and the line for it. On stdout stands nothing else, so that
// scripts can take the first line and the second.
func tokenNew(_ context.Context, c call) error {
	entry, err := parseEntry("token new", c.args)
	if err != nil {
		return err
	}
	if entry.name == "" {
		return misused("token new", "NAME is missing")
	}
	token := auth.NewToken()
	line, err := auth.Line(entry.name, token, entry.policy, entry.expires)
	if err != nil {
		return usageError{err.Error()}
	}
	fmt.Fprintf(c.stdout, "%s\n%s\n", token, line)
	fmt.Fprintf(c.stderr, "The first line is the token of %s, which is shown only now. The second goes into the file of --token-file.\n", entry.name)
	return nil
}

// tokenHash prints what the file keeps of a token that exists.
func tokenHash(_ context.Context, c call) error {
	entry, err := parseEntry("token hash", c.args)
	if err != nil {
		return err
	}
	token, err := readToken(c.stdin)
	if err != nil {
		return err
	}
	line, err := auth.Hash(token)
	if entry.name != "" {
		line, err = auth.Line(entry.name, token, entry.policy, entry.expires)
	}
	if err != nil {
		return usageError{err.Error()}
	}
	fmt.Fprintln(c.stdout, line)
	return nil
}

// tokenVerify says whose token it is.
func tokenVerify(ctx context.Context, c call) error {
	if len(c.args) != 1 || strings.HasPrefix(c.args[0], "-") {
		return misused("token verify", "FILE is missing")
	}
	known, err := auth.OpenTokens(c.args[0])
	if err != nil {
		return err
	}
	token, err := readToken(c.stdin)
	if err != nil {
		return err
	}
	identity, err := known.Authenticate(ctx, auth.Credentials{Token: token})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, describe(identity))
	return nil
}

// describe is an identity in a line.
func describe(identity *auth.Identity) string {
	text := identity.Name
	if identity.Policy != "" {
		text += " policy=" + identity.Policy
	}
	if !identity.Expires.IsZero() {
		text += " expires=" + identity.Expires.UTC().Format(time.RFC3339)
	}
	return text
}

// readToken reads the first line: the token is no argument, which every user of the
// machine could see.
func readToken(stdin io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(stdin, wire.MaxToken+2)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("standard input: %w", err)
	}
	token := strings.TrimSpace(line)
	if token == "" {
		return "", errors.New("standard input: the token is missing")
	}
	return token, nil
}

// tokenEntry is what is to be said of a token.
type tokenEntry struct {
	name, policy string
	expires      time.Time
}

// parseEntry reads NAME [--policy NAME] [--expires TIME].
func parseEntry(command string, args []string) (entry tokenEntry, err error) {
	words, values, err := split(command, args, "policy", "expires")
	if err != nil {
		return entry, err
	}
	switch len(words) {
	case 0:
		if len(values) > 0 {
			return entry, misused(command, "NAME is missing")
		}
	case 1:
		entry.name = words[0]
	default:
		return entry, misused(command, "%s: not expected", words[1])
	}
	entry.policy = values["policy"]
	if text, given := values["expires"]; given {
		if entry.expires, err = parseExpiry(text, time.Now()); err != nil {
			return entry, err
		}
	}
	return entry, nil
}

// parseExpiry takes a time, a day, or a number of days from now.
func parseExpiry(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	var days int
	if n, err := fmt.Sscanf(text, "%dd", &days); n == 1 && err == nil && days > 0 && text == fmt.Sprintf("%dd", days) {
		return now.AddDate(0, 0, days).Truncate(time.Second), nil
	}
	return time.Time{}, usageError{fmt.Sprintf("--expires: %q is not a time: want one like 2027-01-31T00:00:00Z, 2027-01-31 or 90d", text)}
}

// split takes --NAME VALUE and --NAME=VALUE for the given names out of the arguments;
// what is left begins with no dash.
func split(command string, args []string, names ...string) (words []string, values map[string]string, err error) {
	words, values, rest, err := take(command, args, names...)
	if err == nil && len(rest) > 0 {
		err = misused(command, "%s: no such flag", rest[0])
	}
	return words, values, err
}

// take is split for a command that hands on the flags that it does not know itself.
func take(command string, args []string, names ...string) (words []string, values map[string]string, rest []string, err error) {
	values = make(map[string]string)
	for i := 0; i < len(args); i++ {
		flag, value, with := strings.Cut(args[i], "=")
		name := strings.TrimPrefix(flag, "--")
		switch {
		case name != flag && contains(names, name):
			if !with {
				if i++; i == len(args) {
					return nil, nil, nil, misused(command, "--%s: needs a value", name)
				}
				value = args[i]
			}
			values[name] = value
		case len(rest) > 0 || strings.HasPrefix(args[i], "-") && args[i] != "-":
			rest = append(rest, args[i]) // a flag, or what may be its value
		default:
			words = append(words, args[i])
		}
	}
	return words, values, rest, nil
}
