// Package decimal writes numbers into texts for people, such as those of errors. The program in
// the page does without fmt, which would be a tenth of what it loads.
package decimal

import "strconv"

// Of returns the digits of n.
func Of[N ~int | ~uint8 | ~uint16 | ~uint32 | ~uint64](n N) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatUint(uint64(n), 10)
}
