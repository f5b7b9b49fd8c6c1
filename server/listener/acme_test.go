package listener

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestACMEErrors(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "file", "")
	tests := []struct {
		config ACMEConfig
		want   string // DIR stands for the folder
	}{
		{ACMEConfig{Cache: dir}, "acme: no host is named"},
		{ACMEConfig{Hosts: []string{"one.test"}}, "acme: a folder for keys and certificates is needed: authorities give few certificates a week to those who keep none"},
		{ACMEConfig{Hosts: []string{"*.one.test"}, Cache: dir}, `acme: "*.one.test": wildcards need a DNS challenge, which is not spoken: name each host`},
		{ACMEConfig{Hosts: []string{"https://one.test"}, Cache: dir}, `acme: "https://one.test": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"one.test:443"}, Cache: dir}, `acme: "one.test:443": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"192.0.2.1"}, Cache: dir}, `acme: "192.0.2.1": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"localhost"}, Cache: dir}, `acme: "localhost": no host name: write one such as tunnel.example.org, without scheme and port, in punycode`},
		{ACMEConfig{Hosts: []string{"one.test"}, Cache: filepath.Join(file, "below")}, "acme: mkdir DIR/file: not a directory"},
	}
	for _, test := range tests {
		_, err := NewACME(test.config)
		if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != test.want {
			t.Errorf("got  %v\nwant %s", err, test.want)
		}
	}
}

// The folder holds private keys.
func TestACMECache(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "a", "b")
	if _, err := NewACME(ACMEConfig{Hosts: []string{"one.test"}, Cache: cache}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(cache)
	if err != nil || info.Mode().Perm() != cacheMode {
		t.Errorf("%v, %v", info, err)
	}
	if files, err := os.ReadDir(cache); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
