package config

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/server/relay/policy"
)

func TestFlagsAreStrongerThanVariables(t *testing.T) {
	environment := []string{
		"SOCKMUX_GRACE=1m", "SOCKMUX_KEEPALIVE=20s", "SOCKMUX_DEMO=true", "SOCKMUX_MAX_STREAMS=", "SOCKMUX_ALLOW_ORIGIN=https://a.example, https://b.example,",
		"SOCKMUX_CHECK_CONFIG=true",
	}
	c := mustLoad(t, []string{"--grace", "3m", "--demo=false"}, environment)
	if c.Grace != 3*time.Minute || c.Keepalive != 20*time.Second || c.Demo || c.Limits != Default().Limits || len(c.AllowOrigins) != 2 {
		t.Errorf("%+v", *c)
	}
	if c.Mode != Serve {
		t.Errorf("mode %d: a variable must not keep the server from serving", c.Mode)
	}
	// A list is not mixed of two sources.
	c = mustLoad(t, []string{"--allow-origin", "https://c.example"}, environment)
	if len(c.AllowOrigins) != 1 || c.AllowOrigins[0].String() != "https://c.example" {
		t.Errorf("origins %v", c.AllowOrigins)
	}
}

// The environment has no order of its own, so there a prohibition comes first.
func TestDenyVariableComesFirst(t *testing.T) {
	c := mustLoad(t, nil, []string{"SOCKMUX_ALLOW=10.0.0.0/8:*", "SOCKMUX_DENY=10.0.0.1:*,10.0.0.2:22"})
	want := []policy.Rule{rule(t, false, "10.0.0.1:*"), rule(t, false, "10.0.0.2:22"), rule(t, true, "10.0.0.0/8:*")}
	if !reflect.DeepEqual(c.Rules, want) {
		t.Errorf("got %q, want %q", c.Rules, want)
	}
}

func TestRepeatedFlagLastWins(t *testing.T) {
	if c := mustLoad(t, []string{"--grace", "1m", "--grace", "2m"}, nil); c.Grace != 2*time.Minute {
		t.Errorf("grace %s", c.Grace)
	}
}

func TestVariableNames(t *testing.T) {
	c := Default()
	for _, s := range settingsOf(&c) {
		if name := variableOf(s.name); name != strings.ToUpper(name) || strings.Contains(name, "-") || !strings.HasPrefix(name, EnvPrefix) {
			t.Errorf("%s is the variable %s", s.name, name)
		}
	}
}
