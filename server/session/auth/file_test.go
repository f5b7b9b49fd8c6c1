package auth

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseTokens(t *testing.T) {
	hash := strings.Repeat("0a", 32)
	other := strings.Repeat("0B", 32)
	for _, test := range []struct{ name, give, want string }{
		{"empty", "", ""},
		{"comments", "# a\n\n   \n\t# b", ""},
		{"plain", "alice:" + hash, "1 alice"},
		{"byte order mark and CRLF", "\ufeffalice:" + hash + "\r\n\r\nbob:" + other + "\r\n", "1 alice, 3 bob"},
		{"settings", "alice:" + hash + " policy=inside expires=2027-01-31T12:00:00+02:00", "1 alice policy=inside expires=2027-01-31T10:00:00Z"},
		{"settings the other way round", " a@b.example:" + hash + "\texpires=2027-01-31T00:00:00Z   policy=x ", "1 a@b.example policy=x expires=2027-01-31T00:00:00Z"},
		{"two tokens of one name", "a:" + hash + "\na:" + other, "1 a, 2 a"},
		{"no colon", "\n\nalice", "tokens:3: want NAME:HASH [policy=NAME] [expires=TIME]"},
		{"no name", ":" + hash, "tokens:1: the name is empty"},
		{"name with a control character", "a\x01b:" + hash, "tokens:1: the name has characters that cannot be printed"},
		{"name that is no UTF-8", "a\xff:" + hash, "tokens:1: the name is not UTF-8"},
		{"long name", strings.Repeat("a", 257) + ":" + hash, "tokens:1: the name has 257 bytes; at most 256 are taken"},
		{"no hash", "alice:", "tokens:1: the hash has 0 characters; want the 64 hex digits that `sockmux token hash` prints"},
		{"token in place of the hash", "alice:" + random(0), "tokens:1: the hash has 47 characters; want the 64 hex digits that `sockmux token hash` prints"},
		{"no hex", "alice:" + strings.Repeat("z", 64), "tokens:1: the hash has characters that are no hex digits; want the 64 that `sockmux token hash` prints"},
		{"same token twice", "alice:" + hash + "\n\nbob:" + strings.ToUpper(hash), "tokens:3: the hash is that of line 1: every token stands for one name"},
		{"unknown setting", "a:" + hash + " polcy=x", `tokens:1: unknown setting "polcy"; want policy=NAME or expires=TIME`},
		{"comment behind", "a:" + hash + " # x", `tokens:1: unknown setting "#"; want policy=NAME or expires=TIME`},
		{"twice", "a:" + hash + " policy=x policy=y", "tokens:1: policy is set twice"},
		{"no value", "a:" + hash + " policy=", "tokens:1: policy has no value"},
		{"no equals sign", "a:" + hash + " expires", "tokens:1: expires has no value"},
		{"no time", "a:" + hash + " expires=2027-01-31", `tokens:1: expires="2027-01-31" is not a time: want one like 2027-01-31T00:00:00Z`},
	} {
		t.Run(test.name, func(t *testing.T) {
			entries, err := parseTokens("tokens", []byte(test.give))
			var got []string
			for _, e := range entries {
				text := fmt.Sprintf("%d %s", e.line, e.name)
				if e.policy != "" {
					text += " policy=" + e.policy
				}
				if !e.expires.IsZero() {
					text += " expires=" + stamp(e.expires)
				}
				got = append(got, text)
			}
			text := strings.Join(got, ", ")
			if err != nil {
				text = err.Error()
			}
			if text != test.want {
				t.Errorf("got  %s\nwant %s", text, test.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	hash, _ := Hash(random(0))
	expires := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	for _, test := range []struct{ name, policy, want string }{
		{"alice", "", "alice:" + hash + " expires=2027-01-31T00:00:00Z"},
		{"alice", "inside", "alice:" + hash + " policy=inside expires=2027-01-31T00:00:00Z"},
		{"", "", `the name "" or the policy "" cannot be written in a token file: no spaces, no colon and no leading #`},
		{"a b", "", `the name "a b" or the policy "" cannot be written in a token file: no spaces, no colon and no leading #`},
		{"a:b", "", `the name "a:b" or the policy "" cannot be written in a token file: no spaces, no colon and no leading #`},
		{"#a", "", `the name "#a" or the policy "" cannot be written in a token file: no spaces, no colon and no leading #`},
		{"a", "b c=d", `the name "a" or the policy "b c=d" cannot be written in a token file: no spaces, no colon and no leading #`},
		{"a\x01", "", "the name has characters that cannot be printed"},
	} {
		got, err := Line(test.name, random(0), test.policy, expires)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	if _, err := Line("a", "short", "", expires); err == nil {
		t.Error("a short token is taken")
	}
}

func TestReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := readFile(path); err == nil || err.Error() != path+": more than 16777216 bytes" {
		t.Errorf("%v", err)
	}
}

// Whatever is in the file, what is read from it can be written and read again.
func FuzzTokenFile(f *testing.F) {
	hash := strings.Repeat("0a", 32)
	for _, seed := range []string{
		"", "# a", "alice:" + hash, "alice:" + hash + " policy=x expires=2027-01-31T00:00:00Z\r\n\nbob:" + strings.Repeat("0b", 32),
		"\ufeffa:" + hash, "a:b:c", ":", "a:" + hash + " policy=\x00", "a\u0085b:" + hash, "a:" + hash + "\ra:" + hash,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := parseTokens("tokens", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "tokens:") || entries != nil {
				t.Fatalf("%v with %d entries", err, len(entries))
			}
			return
		}
		for _, e := range entries {
			text := fmt.Sprintf("%s:%x", e.name, e.digest)
			if e.policy != "" {
				text += " policy=" + e.policy
			}
			if !e.expires.IsZero() {
				text += " expires=" + e.expires.Format(time.RFC3339)
			}
			again, err := parseTokens("again", []byte(text))
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if len(again) != 1 || again[0].name != e.name || again[0].digest != e.digest || again[0].policy != e.policy || again[0].expires.Unix() != e.expires.Unix() {
				t.Fatalf("%q gives %+v; want %+v", text, again, e)
			}
		}
	})
}
