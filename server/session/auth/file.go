package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// maxFile bounds token and key files: 16 MiB hold more than 100 000 tokens, and a wrong
// path such as /dev/zero ends somewhere.
const maxFile = 16 << 20

// entry is one line of a token file.
type entry struct {
	name    string
	digest  digest
	policy  string
	expires time.Time // zero: never
	line    int
}

// parseTokens reads a token file. A line is
//
//	NAME:HASH [policy=NAME] [expires=RFC3339]
//
// and may be empty or begin with "#". HASH is that of Hash. Several lines may share a
// name: so a token is replaced without an interruption. file is what errors call it.
func parseTokens(file string, data []byte) ([]entry, error) {
	var entries []entry
	lines := make(map[digest]int)
	number := 0
	for line := range bytes.Lines(data) {
		number++
		text := strings.TrimSpace(string(line))
		if number == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // some editors write a byte order mark
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		e, err := parseEntry(text)
		if err == nil && lines[e.digest] != 0 {
			err = fmt.Errorf("the hash is that of line %d: every token stands for one name", lines[e.digest])
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		e.line = number
		lines[e.digest] = number
		entries = append(entries, e)
	}
	return entries, nil
}

func parseEntry(text string) (entry, error) {
	fields := strings.Fields(text)
	name, hash, found := strings.Cut(fields[0], ":")
	if !found {
		return entry{}, errors.New("want NAME:HASH [policy=NAME] [expires=TIME]")
	}
	if bad := badName(name); bad != "" {
		return entry{}, fmt.Errorf("the name %s", bad)
	}
	e := entry{name: name}
	var err error
	if e.digest, err = parseDigest(hash); err != nil {
		return entry{}, err
	}
	seen := make(map[string]bool)
	for _, field := range fields[1:] {
		key, value, _ := strings.Cut(field, "=")
		switch {
		case key != "policy" && key != "expires":
			return entry{}, fmt.Errorf("unknown setting %q; want policy=NAME or expires=TIME", key)
		case seen[key]:
			return entry{}, fmt.Errorf("%s is set twice", key)
		case value == "":
			return entry{}, fmt.Errorf("%s has no value", key)
		}
		seen[key] = true
		if key == "policy" {
			e.policy = value
			continue
		}
		if e.expires, err = time.Parse(time.RFC3339, value); err != nil {
			return entry{}, fmt.Errorf("expires=%q is not a time: want one like 2027-01-31T00:00:00Z", value)
		}
	}
	return e, nil
}

// Line returns the line of a token file for a token. policy may be empty and expires
// zero. The error says which of the values cannot be in such a line.
func Line(name, token, policy string, expires time.Time) (string, error) {
	hash, err := Hash(token)
	if err != nil {
		return "", err
	}
	line := name + ":" + hash
	if policy != "" {
		line += " policy=" + policy
	}
	if !expires.IsZero() {
		line += " expires=" + stamp(expires)
	}
	if strings.HasPrefix(name, "#") || strings.Contains(name, ":") || len(strings.Fields(name)) != 1 || len(strings.Fields(policy)) > 1 {
		return "", fmt.Errorf("the name %q or the policy %q cannot be written in a token file: no spaces, no colon and no leading #", name, policy)
	}
	if _, err := parseEntry(line); err != nil {
		return "", err
	}
	return line, nil
}

// readFile reads a file of at most maxFile bytes.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", path, maxFile)
	}
	return data, nil
}
