package config

import (
	"strings"
	"testing"
)

func TestMasked(t *testing.T) {
	for text, want := range map[string]string{
		"--egress-proxy http://alice:s3cret@proxy.example:3128":    "--egress-proxy http://alice:xxxxx@proxy.example:3128",
		"--egress-proxy=socks5://alice:s3:c/r?e#t@[::1]:1080":      "--egress-proxy=socks5://alice:xxxxx@[::1]:1080",
		"--egress-proxy=http://:only@proxy.example:3128":           "--egress-proxy=http://:xxxxx@proxy.example:3128",
		"--egress-proxy=http://proxy.example:3128":                 "--egress-proxy=http://proxy.example:3128",
		"--egress-proxy=http://alice@proxy.example:3128":           "--egress-proxy=http://alice@proxy.example:3128",
		"--dns https://dns.example/q --allow-origin https://a.b:1": "--dns https://dns.example/q --allow-origin https://a.b:1",
		"--acme-email a@example.org --allow tcp://10.0.0.1:5432":   "--acme-email a@example.org --allow tcp://10.0.0.1:5432",
	} {
		if got := strings.Join(Masked(strings.Split(text, " ")), " "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
