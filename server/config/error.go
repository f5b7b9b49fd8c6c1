package config

import (
	"errors"
	"fmt"
	"strings"
)

// Error is one mistake in the configuration.
type Error struct {
	Source string // where it was written: --listen, SOCKMUX_LISTEN
	Text   string // the value and what would be right
}

func (e *Error) Error() string { return e.Source + ": " + e.Text }

func joined(mistakes []*Error) error {
	all := make([]error, len(mistakes))
	for i, m := range mistakes {
		all[i] = m
	}
	return errors.Join(all...)
}

// wrong is the form of nearly all mistakes.
func wrong(value, problem, want string) error {
	return fmt.Errorf("%q %s: want %s", value, problem, want)
}

// nearest returns the candidate that was probably meant by a misspelled name, or "".
func nearest(name string, candidates []string) string {
	// One edit in three letters still looks like a slip; more is another word.
	best, limit := "", len(name)/3+1
	for _, candidate := range candidates {
		if d := distance(name, candidate); d < limit {
			best, limit = candidate, d
		}
	}
	return best
}

// distance is Levenshtein's: the fewest letters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// sentence joins words as "a, b or c".
func sentence(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
