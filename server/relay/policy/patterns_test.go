package policy_test

import (
	"encoding/json"
	"net/netip"
	"os"
	"testing"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestPatterns checks the grammar that --allow and the script's data-match have in common.
// The script's twin is js/test/facade/patterns.test.js.
func TestPatterns(t *testing.T) {
	content, err := os.ReadFile("../../../shared/testdata/patterns.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Fits    [][]any
		Refused []string
	}
	if err := json.Unmarshal(content, &table); err != nil {
		t.Fatal(err)
	}
	if len(table.Fits) == 0 || len(table.Refused) == 0 {
		t.Fatal("the table is empty")
	}
	for _, row := range table.Fits {
		text, host, port, want := row[0].(string), row[1].(string), uint16(row[2].(float64)), row[3].(bool)
		if got := describes(t, text, host, port); got != want {
			t.Errorf("%q, host %q, port %d: %v; want %v", text, host, port, got, want)
		}
	}
	for _, text := range table.Refused {
		if rule, err := policy.ParseRule(true, text); err == nil {
			t.Errorf("%q gave %v; want an error", text, rule)
		}
	}
}

// describes reports whether a rule of this text is about the host. A rule that denies matches
// whatever it describes; behind it, every address is allowed.
func describes(t *testing.T, text, host string, port uint16) bool {
	t.Helper()
	rules := make([]policy.Rule, 0, 3)
	for _, rule := range []struct {
		allow bool
		text  string
	}{{false, text}, {true, "0.0.0.0/0"}, {true, "::/0"}} {
		parsed, err := policy.ParseRule(rule.allow, rule.text)
		if err != nil {
			t.Fatalf("%q: %v", rule.text, err)
		}
		rules = append(rules, parsed)
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		addr = netip.MustParseAddr("8.8.8.8")
	}
	return policy.New(rules).CheckAddr(wire.ParseHost(host), nil, netip.AddrPortFrom(addr, port)) != nil
}
