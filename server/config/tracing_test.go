package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// headersFile makes a file for --otlp-headers.
func headersFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "headers")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTracing(t *testing.T) {
	if c := mustLoad(t, nil, nil); c.Tracing != (Tracing{Sample: 1}) {
		t.Errorf("default %+v", c.Tracing)
	}
	headers := headersFile(t, "# ours\n\nAuthorization: Bearer s3cret\nX-Tenant:  one \n")
	want := Tracing{Endpoint: "https://otel.test:4318/in", HeadersFile: headers, Sample: 0.25}
	for from, c := range map[string]*Config{
		"flags":       mustLoad(t, []string{"--otlp-endpoint", want.Endpoint, "--otlp-headers", headers, "--trace-sample", "0.25"}, nil),
		"environment": mustLoad(t, nil, []string{"SOCKMUX_OTLP_ENDPOINT=" + want.Endpoint, "SOCKMUX_OTLP_HEADERS=" + headers, "SOCKMUX_TRACE_SAMPLE=.25"}),
		"file":        mustLoad(t, []string{"--config", write(t, "otlp-endpoint: "+want.Endpoint+"\notlp-headers: "+headers+"\ntrace-sample: 25e-2\n")}, nil),
	} {
		if c.Tracing != want || len(c.Warnings) > 0 {
			t.Errorf("%s: %+v, warnings %q", from, c.Tracing, c.Warnings)
		}
		got, err := c.Tracing.Headers()
		if fmt.Sprint(got) != "map[Authorization:Bearer s3cret X-Tenant:one]" || err != nil {
			t.Errorf("%s: headers %v, %v", from, got, err)
		}
		printed := c.Print()
		if strings.Contains(printed, "s3cret") || !strings.Contains(printed, "\notlp-endpoint: https://otel.test:4318/in\notlp-headers: "+headers+"\ntrace-sample: 0.25\n") {
			t.Errorf("%s: printed\n%s", from, printed)
		}
	}
}

func TestTracingErrors(t *testing.T) {
	bad, none, good := headersFile(t, "A: b\nBearer s3cret\n"), headersFile(t, "# nothing\n"), headersFile(t, "A: b\n")
	for _, test := range []struct{ args, want string }{
		{"--otlp-endpoint collector:4318", `--otlp-endpoint: "collector:4318" is not an http or https URL: want one such as http://127.0.0.1:4318 or https://otel.example.org`},
		{"--otlp-endpoint http://", `--otlp-endpoint: "http:" is not an http or https URL: want one such as http://127.0.0.1:4318 or https://otel.example.org`},
		{"--otlp-endpoint https://u:s3cret@otel.test", `--otlp-endpoint: "https://u:xxxxx@otel.test" has a user or password in it: want it as a header, in the file of --otlp-headers`},
		{"--otlp-endpoint https://otel.test/?a=b", `--otlp-endpoint: "https://otel.test/?a=b" has more than a path: want one such as http://127.0.0.1:4318 or https://otel.example.org`},
		{"--otlp-headers " + good, `--otlp-headers: "` + good + `" does nothing without --otlp-endpoint`},
		{"--otlp-endpoint http://otel.test --otlp-headers none", `--otlp-headers: reading the headers: open none: no such file or directory`},
		{"--otlp-endpoint http://otel.test --otlp-headers " + bad, `--otlp-headers: ` + bad + `:2: no header: want NAME: VALUE, such as Authorization: Bearer TOKEN`},
		{"--otlp-endpoint http://otel.test --otlp-headers " + none, `--otlp-headers: ` + none + ` has no header: want a line NAME: VALUE for each`},
		{"--trace-sample 1.1", `--trace-sample: "1.1" is not a ratio: want a number from 0 to 1, such as 0.1`},
		{"--trace-sample -1", `--trace-sample: "-1" is not a ratio: want a number from 0 to 1, such as 0.1`},
		{"--trace-sample NaN", `--trace-sample: "NaN" is not a ratio: want a number from 0 to 1, such as 0.1`},
		{"--trace-sample 10%", `--trace-sample: "10%" is not a ratio: want a number from 0 to 1, such as 0.1`},
	} {
		if _, err := Load(strings.Fields(test.args), nil); err == nil || err.Error() != test.want {
			t.Errorf("%s\ngot  %v\nwant %s", test.args, err, test.want)
		}
	}
}

// Secrets that go over a network in the clear are warned of.
func TestTracingInTheClear(t *testing.T) {
	headers := headersFile(t, "Authorization: Bearer s3cret\n")
	for endpoint, warned := range map[string]bool{
		"http://otel.test:4318": true, "http://192.0.2.1": true, "https://otel.test": false, "http://127.0.0.1:4318": false, "http://[::1]:4318": false, "http://localhost:4318": false,
	} {
		c := mustLoad(t, []string{"--otlp-endpoint", endpoint, "--otlp-headers", headers}, nil)
		want := "[]"
		if warned {
			want = "[--otlp-endpoint: the headers of " + headers + " go to " + endpoint + " without TLS, and any host on the path can read them]"
		}
		if got := fmt.Sprint(c.Warnings); got != want {
			t.Errorf("%s: %s, want %s", endpoint, got, want)
		}
	}
}
