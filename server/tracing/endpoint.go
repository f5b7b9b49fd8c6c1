package tracing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// pathTraces is where a collector takes spans (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request).
const pathTraces = "/v1/traces"

// maxHeaders is the longest file of headers that is read; servers take no more in a request.
const maxHeaders = 16 << 10

// ParseEndpoint returns where spans are sent to for the URL of a collector, http or https, to which /v1/traces is added unless it ends so. The error's text
// has no password.
func ParseEndpoint(text string) (string, error) {
	const want = "want one such as http://127.0.0.1:4318 or https://otel.example.org"
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", fmt.Errorf("is no http or https URL: %s", want)
	case u.User != nil:
		return "", errors.New("has a user or password in it: want it as a header, in the file of --otlp-headers")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "", fmt.Errorf("has more than a path: %s", want)
	}
	path := strings.TrimRight(u.Path, "/")
	if !strings.HasSuffix(path, pathTraces) {
		path += pathTraces
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: path}).String(), nil
}

// ReadHeaders reads a file with a line NAME: VALUE for each header; empty lines and those that begin with # do not count. The error's text has no value.
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
