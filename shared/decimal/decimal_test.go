package decimal_test

import (
	"math"
	"testing"

	"github.com/sockmux/sockmux/shared/decimal"
)

func TestOf(t *testing.T) {
	type kind uint8
	for want, got := range map[string]string{
		"0":                    decimal.Of(0),
		"-7":                   decimal.Of(-7),
		"-9223372036854775808": decimal.Of(math.MinInt),
		"200":                  decimal.Of(kind(200)),
		"18446744073709551615": decimal.Of(uint64(math.MaxUint64)),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
