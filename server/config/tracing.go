package config

import (
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/sockmux/sockmux/server/ops/tracing"
)

// Tracing says what is sent to a collector of OpenTelemetry.
type Tracing struct {
	Endpoint    string  // URL; empty: nothing is traced
	HeadersFile string  // empty: no headers
	Sample      float64 // share of the traces that begin here
}

// tracingOf binds the settings to t.
func tracingOf(t *Tracing) []setting {
	return []setting{
		{
			group: groupAdmin, name: "otlp-endpoint", hint: "URL",
			help:  "Send traces of sessions and streams to this OpenTelemetry collector over OTLP/HTTP, such as http://127.0.0.1:4318. The server appends /v1/traces.",
			parse: optional(endpoint(&t.Endpoint), &t.Endpoint), print: one(&t.Endpoint),
		},
		{
			group: groupAdmin, name: "otlp-headers", hint: "FILE",
			help:  "File with HTTP headers for the collector. Each line is NAME: VALUE, such as Authorization: Bearer TOKEN.",
			parse: text(&t.HeadersFile), print: one(&t.HeadersFile),
		},
		{
			group: groupAdmin, name: "trace-sample", hint: "RATIO",
			help:  "Fraction of traces to send, from 0 to 1. A session inside a caller's trace follows the caller's decision.",
			parse: ratio(&t.Sample), print: printed(&t.Sample, func(r float64) string { return strconv.FormatFloat(r, 'g', -1, 64) }),
		},
	}
}

func endpoint(to *string) parser {
	return func(text string) error {
		if _, err := tracing.ParseEndpoint(text); err != nil {
			return fmt.Errorf("%q %w", redacted(text), err)
		}
		*to = text
		return nil
	}
}

// ratio takes a number from 0 to 1.
func ratio(to *float64) parser {
	return func(text string) error {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || !(value >= 0 && value <= 1) { // NaN is neither
			return wrong(text, "is not a ratio", "a number from 0 to 1, such as 0.1")
		}
		*to = value
		return nil
	}
}

// Headers reads the file of headers; nil if there is none.
func (t *Tracing) Headers() (map[string]string, error) {
	if t.HeadersFile == "" {
		return nil, nil
	}
	return tracing.ReadHeaders(t.HeadersFile)
}

// check reads the headers, so that a wrong file is found before a restart and not by it.
func (t *Tracing) check(wrongly func(name, format string, values ...any)) {
	if t.HeadersFile == "" {
		return
	}
	if t.Endpoint == "" {
		wrongly("otlp-headers", "%q does nothing without --otlp-endpoint", t.HeadersFile)
		return
	}
	if _, err := t.Headers(); err != nil {
		wrongly("otlp-headers", "%v", err)
	}
}

// inTheClear reports whether the headers' secrets would go over a network without TLS.
func (t *Tracing) inTheClear() bool {
	u, err := url.Parse(t.Endpoint)
	return err == nil && t.HeadersFile != "" && u.Scheme == "http" && !isLoopback(net.JoinHostPort(u.Hostname(), "0"))
}
