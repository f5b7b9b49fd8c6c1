package config_test

import (
	"strings"
	"testing"

	"github.com/sockmux/sockmux/server/config"
)

func TestSessionsPerClient(t *testing.T) {
	for args, want := range map[string]int{
		"":                                       0,
		"--listen 0.0.0.0:80 --insecure-no-auth": 250,
		"--listen 0.0.0.0:80 --insecure-no-auth --max-sessions 2":                      1,
		"--listen 0.0.0.0:80 --insecure-no-auth --max-sessions-per-client 0":           0,
		"--listen 0.0.0.0:80 --insecure-no-auth --max-sessions-per-client 7":           7,
		"--insecure-no-auth --trusted-proxies 127.0.0.1":                               250,
		"--trusted-proxies 127.0.0.1 --insecure-no-auth --max-sessions-per-client 500": 500,
	} {
		c, err := config.Load(strings.Fields(args), nil)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if c.Limits.Sessions != want || c.Policies[config.DefaultPolicy].Limits.Sessions != want {
			t.Errorf("%s: %d sessions for a client, and %d by the default policy, want %d", args, c.Limits.Sessions, c.Policies[config.DefaultPolicy].Limits.Sessions, want)
		}
	}
}
