package tracing

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// pathTraces is where a collector takes spans
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp-request).
const pathTraces = "/v1/traces"

// ParseEndpoint returns where spans are sent to for the URL of a collector, http or
// https, to which /v1/traces is added unless it ends so. The error's text has no
// password.
func ParseEndpoint(text string) (string, error) {
	const want = "want one such as http://127.0.0.1:4318 or https://otel.example.org"
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return "", fmt.Errorf("is not an http or https URL: %s", want)
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
