package config

import (
	"math"
	"strconv"
	"strings"
)

// minRate is the least that makes sense for bytes per second: less would stretch a
// single read over seconds.
const minRate = 1000

// units of sizes, the ones that print best first.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40},
	{"GiB", 1 << 30},
	{"MiB", 1 << 20},
	{"KiB", 1 << 10},
	{"T", 1e12},
	{"G", 1e9},
	{"M", 1e6},
	{"k", 1e3},
}

// size takes a number of bytes, with or without a unit, from least to most, or 0.
func size(to *int64, least, most int64) parser {
	return func(text string) error {
		const want = "a number of bytes, such as 0, 500k, 20M, 2G, 64KiB or 1MiB"
		digits, factor := text, int64(1)
		for _, u := range units {
			if rest, ok := strings.CutSuffix(text, u.name); ok {
				digits, factor = rest, u.bytes
				break
			}
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			return wrong(text, "is not a size", want)
		}
		if n > math.MaxInt64/factor || n*factor > most || n < 0 || n != 0 && n*factor < least {
			return wrong(text, "is out of range", want+", at least "+briefSize(least)+" and at most "+briefSize(most))
		}
		*to = n * factor
		return nil
	}
}

// briefSize writes a size with the largest unit that leaves a whole number.
func briefSize(n int64) string {
	for _, u := range units {
		if n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}
