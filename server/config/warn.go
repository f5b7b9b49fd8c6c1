package config

import (
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/sockmux/sockmux/server/relay/policy"
	"github.com/sockmux/sockmux/server/session/auth"
	"github.com/sockmux/sockmux/server/session/limit"
)

// warnOfMetadata warns of each rule that lets pages reach the metadata of a cloud.
func (c *Config) warnOfMetadata() {
	for _, name := range c.PolicyNames() {
		for _, m := range policy.New(c.Policies[name].Rules).Metadata() {
			c.Warnings = append(c.Warnings, fmt.Sprintf("policy %s: the rule %q reaches %s, where a cloud (%s) gives credentials to any program: deny that address before it, or allow less",
				name, m.Rule, m.Addr, m.Provider))
		}
	}
}

// warnOfShortDrain warns of a drain that ends before a client can have noticed that its connection
// is dead: it cannot come back for its last bytes.
func (c *Config) warnOfShortDrain(source func(name string) string) {
	if dead := limit.DeadAfter * c.Keepalive; c.DrainTimeout > 0 && c.DrainTimeout <= dead {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: a drain of %s is over before a client notices that its connection is dead, after twice --keepalive (%s): its streams are cut",
			source("drain-timeout"), brief(c.DrainTimeout), brief(dead)))
	}
}

// warnOfReadable warns of files with secrets that every user of this machine can read.
func (c *Config) warnOfReadable(source func(name string) string) {
	if runtime.GOOS == "windows" {
		return // its permissions are not in the mode
	}
	secrets := []struct{ setting, path string }{
		{"tls-key", c.TLS.Key},
		{"egress-proxy-credentials", c.ProxyCredentials},
		{"otlp-headers", c.Tracing.HeadersFile},
	}
	if c.JWTKeys != "" {
		if keys, err := auth.OpenKeyFile(c.JWTKeys); err == nil && keys.Secret() {
			secrets = append(secrets, struct{ setting, path string }{"jwt-keys", c.JWTKeys})
		}
	}
	if c.File != "" && c.Proxy != redacted(c.Proxy) && strings.HasPrefix(source("egress-proxy"), c.File+":") {
		secrets = append(secrets, struct{ setting, path string }{"config", c.File})
	}
	for _, secret := range secrets {
		if secret.path == "" {
			continue
		}
		if info, err := os.Stat(secret.path); err == nil && info.Mode()&othersRead != 0 {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: every user of this machine can read %q, which holds a secret: chmod o-r", source(secret.setting), secret.path))
		}
	}
}

// othersRead is the permission of all users but the owner and the group.
const othersRead fs.FileMode = 0o004
