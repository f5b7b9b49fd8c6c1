package tracing

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// maxHeaders is the longest file of headers that is read; servers take no more in a request.
const maxHeaders = 16 << 10

// ReadHeaders reads a file with a line NAME: VALUE for each header; empty lines and those
// that begin with # do not count. The error's text has no value.
func ReadHeaders(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the headers: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxHeaders+1))
	if err != nil {
		return nil, fmt.Errorf("reading the headers: %w", err)
	}
	if len(content) > maxHeaders {
		return nil, fmt.Errorf("%s is longer than %d bytes", path, maxHeaders)
	}
	headers, number := make(map[string]string), 0
	for line := range bytes.Lines(content) {
		number++
		text := strings.TrimSpace(string(line))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		name, value, colon := strings.Cut(text, ":")
		value = strings.TrimSpace(value)
		if !colon || !httpguts.ValidHeaderFieldName(name) || value == "" || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("%s:%d: no header: want NAME: VALUE, such as Authorization: Bearer TOKEN", path, number)
		}
		headers[name] = value
	}
	if len(headers) == 0 {
		return nil, fmt.Errorf("%s has no header: want a line NAME: VALUE for each", path)
	}
	return headers, nil
}
