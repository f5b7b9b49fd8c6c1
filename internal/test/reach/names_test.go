package reach_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/wire"
)

// A resolve stream asks the server's own DNS server, under the server's policy, and is counted and
// logged like any other stream.
func TestResolveStreams(t *testing.T) {
	dns := product.DNS{Zone: product.Zone{
		"db.test.":      {"A 10.1.2.3", "A 127.0.0.1"},
		"alias.test.":   {"CNAME secret.test.", "A 8.8.8.8"},
		"public.test.":  {"A 8.8.8.8", "A 10.9.9.9"},
		"private.test.": {"A 10.9.9.9"},
		"cover.test.":   {"A 172.29.1.1"},
		"secret.test.":  {"A 8.8.8.8"},
	}}.Serve(t, "127.0.0.1:0")
	s := product.Start(t, "--dns", dns, "--deny", "secret.test", "--allow", "db.test:5432", "--allow", "172.29.0.0/16", "--admin", "127.0.0.1:0", "--log-format", "json")
	c := s.Dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, test := range []struct {
		name   string
		family uint8
		want   string // addresses, or the code
	}{
		{"db.test", 0, "10.1.2.3 127.0.0.1"},
		{"DB.test.", 4, "10.1.2.3 127.0.0.1"},
		{"db.test", 6, "name_not_found"},
		{"public.test", 0, "8.8.8.8"},
		{"private.test", 0, "denied"},
		{"alias.test", 0, "denied"},
		{"secret.test", 0, "denied"},
		{"cover.test", 0, ""},
		{"none.test", 0, "name_not_found"},
		{"192.168.1.1", 0, "denied"},
		{"127.1", 0, "invalid_request"},
	} {
		answer, err := c.Resolve(ctx, test.name, test.family)
		var addrs []string
		for _, addr := range answer.Addrs {
			addrs = append(addrs, addr.String())
		}
		got := strings.Join(addrs, " ")
		if e := (*wire.Error)(nil); errors.As(err, &e) {
			got = e.Code.String()
		}
		if got != test.want || err == nil && answer.TTL <= 0 {
			t.Errorf("%s, family %d: %q, %s, %v; want %q", test.name, test.family, got, answer.TTL, err, test.want)
		}
	}
	// The last streams are counted when their goroutines have ended, which the log tells.
	s.WaitLog("127.1")
	for series, want := range map[string]float64{
		`sockmux_stream_opens_total{code="ok",kind="resolve"}`:             4,
		`sockmux_stream_opens_total{code="denied",kind="resolve"}`:         4,
		`sockmux_stream_opens_total{code="name_not_found",kind="resolve"}`: 2,
		`sockmux_stream_opens_total{code="ok",kind="tcp"}`:                 0,
		`sockmux_dial_duration_seconds_count{outcome="ok"}`:                0,
		`sockmux_refusals_total{reason="denied",stage="stream"}`:           4,
	} {
		if got := s.Metric(t, series); got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
}
