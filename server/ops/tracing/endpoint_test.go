package tracing_test

import (
	"testing"

	"github.com/sockmux/sockmux/server/ops/tracing"
)

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:4318":               "http://127.0.0.1:4318/v1/traces",
		"http://127.0.0.1:4318/":              "http://127.0.0.1:4318/v1/traces",
		"https://otel.test/in/":               "https://otel.test/in/v1/traces",
		"https://otel.test/in/v1/traces":      "https://otel.test/in/v1/traces",
		"http://[2001:db8::1]:4318/v1/traces": "http://[2001:db8::1]:4318/v1/traces",
	} {
		if got, err := tracing.ParseEndpoint(text); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "otel.test", "grpc://otel.test:4317", "http:///v1/traces", "http://u@otel.test", "http://otel.test/?", "http://otel.test/#a", "http://a b"} {
		if got, err := tracing.ParseEndpoint(text); err == nil {
			t.Errorf("%s: %q", text, got)
		}
	}
}
