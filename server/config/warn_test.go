package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A file without content is taken at the start, with a warning.
func TestEmptyFile(t *testing.T) {
	for text, empty := range map[string]bool{
		"": true, "\n\n": true, "# deny: ['*']\n": true, "limits:\n  # max-streams: 3\n": true, "---\n": true,
		"demo: false\n": false, "policies: {guests: }\n": false, "limits: {max-streams: 3}\n": false,
	} {
		path := write(t, text)
		c := mustLoad(t, []string{"--config", path}, nil)
		warned := slices.Contains(c.Warnings, "--config: "+`"`+path+`" holds no setting and no policy`)
		if c.Empty != empty || warned != empty {
			t.Errorf("%q: empty %t, warnings %q", text, c.Empty, c.Warnings)
		}
	}
	if c := mustLoad(t, nil, nil); c.Empty {
		t.Error("no file counts as an empty one")
	}
}

func TestMetadataWarning(t *testing.T) {
	c := mustLoad(t, []string{"--allow", "10.0.0.0/8", "--allow", "0.0.0.0/0:80", "--config", write(t, "policies: {staff: {rules: [{allow: '[fd00::]/8'}]}}")}, nil)
	want := []string{
		`policy default: the rule "allow 0.0.0.0/0:80" reaches 169.254.169.254, where a cloud (most clouds) gives credentials to any program: deny that address before it, or allow less`,
		`policy staff: the rule "allow [fd00::]/8" reaches fd00:ec2::, where a cloud (AWS) gives credentials to any program: deny that address before it, or allow less`,
	}
	if !slices.Equal(c.Warnings, want) {
		t.Errorf("got  %q\nwant %q", c.Warnings, want)
	}
}

// A drain that is not longer than the time after which a connection is dead gets a warning.
func TestShortDrain(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"--drain-timeout", "0"}, ""},
		{[]string{"--drain-timeout", "21s"}, ""},
		{[]string{"--drain-timeout", "20s"}, "--drain-timeout: a drain of 20s is over before a client notices that its connection is dead, after twice --keepalive (20s): its streams are cut"},
		{[]string{"--drain-timeout", "20s", "--keepalive", "9s"}, ""},
		{[]string{"--keepalive", "15s"}, "--drain-timeout: a drain of 30s is over before a client notices that its connection is dead, after twice --keepalive (30s): its streams are cut"},
	} {
		var want []string
		if test.want != "" {
			want = []string{test.want}
		}
		if c := mustLoad(t, test.args, nil); !slices.Equal(c.Warnings, want) {
			t.Errorf("%q: got %q, want %q", test.args, c.Warnings, want)
		}
	}
}

func TestReadableSecrets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("permissions of this system are not in the mode")
	}
	cert, key := certificate(t, t.TempDir())
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secrets := map[string]string{
		"--tls-key":                  key,
		"--egress-proxy-credentials": file("credentials", "alice:secret\n"),
		"--otlp-headers":             file("headers", "Authorization: Bearer x\n"),
		"--jwt-keys":                 file("keys", `{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`),
	}
	config := file("sockmux.yaml", "egress-proxy: http://alice:secret@proxy.example:3128\n")
	args := []string{"--tls-cert", cert, "--otlp-endpoint", "https://otel.example"}
	for flag, path := range secrets {
		if flag == "--egress-proxy-credentials" {
			continue // it cannot stand beside a password in the URL
		}
		args = append(args, flag, path)
	}
	warnings := func(args ...string) []string {
		var about []string
		for _, w := range mustLoad(t, args, nil).Warnings {
			if strings.Contains(w, "can read") {
				about = append(about, w)
			}
		}
		return about
	}
	args = append(args, "--config", config)
	proxy := []string{"--egress-proxy", "http://proxy.example:3128", "--egress-proxy-credentials", secrets["--egress-proxy-credentials"]}
	all := append([]string{config}, key, secrets["--otlp-headers"], secrets["--jwt-keys"], secrets["--egress-proxy-credentials"])
	for mode, readable := range map[os.FileMode]bool{0o600: false, 0o640: false, 0o644: true, 0o604: true} {
		for _, path := range all {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
		}
		got := append(warnings(args...), warnings(proxy...)...)
		if !readable {
			if len(got) > 0 {
				t.Errorf("%o: %q", mode, got)
			}
			continue
		}
		for _, path := range all {
			if !slices.ContainsFunc(got, func(w string) bool {
				return strings.Contains(w, ": every user of this machine can read "+`"`+path+`", which holds a secret: chmod o-r`)
			}) {
				t.Errorf("%o: no warning of %s in %q", mode, path, got)
			}
		}
		if len(got) != len(all) {
			t.Errorf("%o: %q", mode, got)
		}
	}
}

// Behind a proxy on the same machine the rule is that of an address beyond loopback.
func TestTrustedProxyWithoutAuthentication(t *testing.T) {
	_, err := Load([]string{"--trusted-proxies", "127.0.0.1"}, nil)
	const want = `--trusted-proxies: clients reach "127.0.0.1:8088" through the proxy and need no credentials: set --token-file, or --auth-header if the proxy authenticates, or --insecure-no-auth`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if c := mustLoad(t, []string{"--trusted-proxies", "127.0.0.1", "--insecure-no-auth"}, nil); len(c.Warnings) > 0 {
		t.Errorf("warnings %q", c.Warnings)
	}
	mustLoad(t, []string{"--trusted-proxies", "127.0.0.1", "--auth-header", "X-User"}, nil)
}
