package gateway

import (
	"strconv"
	"strings"

	"github.com/sockmux/sockmux/server/gateway/assets"
)

// encodings gives the content codings in which to look for a file, best first, by the
// Accept-Encoding lines of a request (RFC 9110, 12.5.3). Identity is always among them:
// where a client refuses even that, an answer it may understand is better than none.
func encodings(lines []string) []assets.Encoding {
	if len(lines) == 0 {
		return []assets.Encoding{assets.Identity} // anything would do; what sends no header is rarely able to unpack
	}
	quality := qualities(strings.Join(lines, ","))
	any, anyGiven := quality["*"]
	weight := func(e assets.Encoding) float64 {
		if q, given := quality[string(e)]; given {
			return q
		}
		if anyGiven {
			return any
		}
		if e == assets.Identity {
			return leastQuality // acceptable unless it is excluded, but every coding that was asked for is preferred
		}
		return 0
	}
	var order []assets.Encoding
	for _, e := range []assets.Encoding{assets.Brotli, assets.Gzip, assets.Identity} {
		if weight(e) == 0 {
			continue
		}
		at := len(order)
		for at > 0 && weight(order[at-1]) < weight(e) {
			at--
		}
		order = append(order[:at], append([]assets.Encoding{e}, order[at:]...)...)
	}
	if weight(assets.Identity) == 0 {
		order = append(order, assets.Identity)
	}
	return order
}

// leastQuality is below every weight that a header can give (three decimals, RFC 9110,
// 12.4.2) and above none.
const leastQuality = 0.0001

// qualities reads "br;q=0.5, gzip". What is malformed is left out.
func qualities(header string) map[string]float64 {
	quality := make(map[string]float64)
	for item := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(item, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "x-gzip" { // RFC 9110, 8.4.1.3
			name = string(assets.Gzip)
		}
		q := 1.0
		if parameters = strings.TrimSpace(parameters); parameters != "" {
			text, isQuality := strings.CutPrefix(strings.ToLower(parameters), "q=")
			value, err := strconv.ParseFloat(text, 64)
			if !isQuality || err != nil || !(value >= 0 && value <= 1) {
				continue
			}
			q = value
		}
		if name != "" {
			quality[name] = q
		}
	}
	return quality
}
