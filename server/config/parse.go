package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A parser reads one text into its place in a Config, or says what would be right.
type parser func(text string) error

func boolean(to *bool) parser {
	return func(text string) error {
		value, err := strconv.ParseBool(text)
		if err != nil {
			return wrong(text, "is not a boolean", "true or false")
		}
		*to = value
		return nil
	}
}

func integer(to *int, least, most int) parser {
	return func(text string) error {
		value, err := strconv.Atoi(text)
		if err != nil || value < least || value > most {
			return wrong(text, "is out of range", fmt.Sprintf("a whole number from %d to %d", least, most))
		}
		*to = value
		return nil
	}
}

// duration takes values from least to most. zero says what 0 means; where it is empty 0
// is an error like any other value below least.
func duration(to *time.Duration, least, most time.Duration, zero string) parser {
	return func(text string) error {
		want := fmt.Sprintf("a time from %s to %s, such as 500ms, 30s or 2m", brief(least), brief(most))
		if zero != "" {
			want += ", or 0 for " + zero
		}
		value, err := time.ParseDuration(text)
		switch {
		case err != nil:
			return wrong(text, "is not a time", want)
		case value == 0 && zero != "":
		case value < least || value > most:
			return wrong(text, "is out of range", want)
		}
		*to = value
		return nil
	}
}

// brief is Duration.String without the zeros at its end: 2m, not 2m0s.
func brief(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func oneOf[T any](to *T, names []string, values map[string]T) parser {
	return func(text string) error {
		value, ok := values[strings.ToLower(text)]
		if !ok {
			return wrong(text, "is not known", sentence(names))
		}
		*to = value
		return nil
	}
}

func listenAddress(to *string) parser {
	const want = "HOST:PORT, such as 127.0.0.1:8088, [::1]:8088 or :8088 for every interface"
	return func(text string) error {
		_, port, err := net.SplitHostPort(text)
		if err != nil {
			return wrong(text, "is not an address to listen on", want)
		}
		if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			return wrong(text, "has no port from 0 to 65535", want)
		}
		*to = text
		return nil
	}
}

// pathPrefix takes a path with or without its last slash and keeps it with one.
func pathPrefix(to *string) parser {
	return func(text string) error {
		path := strings.TrimSuffix(text, "/") + "/"
		good := strings.HasPrefix(path, "/")
		for _, part := range strings.Split(strings.Trim(path, "/"), "/") {
			good = good && (path == "/" || part != "" && part != "." && part != ".." && strings.Trim(part, pathLetters) == "")
		}
		if !good {
			return wrong(text, "is not a path", "/ or a path of letters, digits and -._~, such as /sockmux/")
		}
		*to = path
		return nil
	}
}

// pathLetters need no escaping in a URL (RFC 3986, 2.3).
const pathLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

func text(to *string) parser {
	return func(text string) error {
		*to = text
		return nil
	}
}

// each makes a parser that appends to a list.
func each[T any](to *[]T, parse func(string) (T, error)) parser {
	return func(text string) error {
		value, err := parse(text)
		if err != nil {
			return fmt.Errorf("%q: %w", text, err)
		}
		*to = append(*to, value)
		return nil
	}
}
