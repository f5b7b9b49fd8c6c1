package cli

import (
	"bytes"
	"encoding/base64"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/sockmux/sockmux/internal/test/servertest"
	"github.com/sockmux/sockmux/server/config"
	"github.com/sockmux/sockmux/server/session/auth"
)

// sub runs a subcommand with a standard input.
func sub(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	s, rest, err := findSubcommand(args)
	if s != nil {
		err = s.run(t.Context(), call{args: rest, stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs})
	}
	code = ended(err, &errs)
	return code, out.String(), errs.String()
}

func TestTokenNew(t *testing.T) {
	code, stdout, stderr := sub(t, "", "token", "new", "alice", "--policy", "staff", "--expires=2030-01-31")
	lines := strings.Split(stdout, "\n")
	if code != 0 || len(lines) != 3 || stderr != "The first line is the token of alice, which is shown only now. The second goes into the file of --token-file.\n" {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	f := servertest.NewFolder(t)
	f.Put("tokens", lines[1]+"\n")
	if code, stdout, stderr := sub(t, lines[0]+"\n", "token", "verify", f.File("tokens")); code != 0 || stdout != "alice policy=staff expires=2030-01-31T00:00:00Z\n" || stderr != "" {
		t.Errorf("verify: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, stdout, stderr := sub(t, lines[0], "token", "hash", "alice", "--policy=staff", "--expires", "2030-01-31T00:00:00Z"); code != 0 || stdout != lines[1]+"\n" || stderr != "" {
		t.Errorf("hash: exit code %d, stdout %q, stderr %q, want %q", code, stdout, stderr, lines[1])
	}
	_, hash, _ := strings.Cut(strings.Fields(lines[1])[0], ":")
	if code, stdout, _ := sub(t, lines[0], "token", "hash"); code != 0 || stdout != hash+"\n" {
		t.Errorf("hash without a name: exit code %d, stdout %q, want %q", code, stdout, hash)
	}
	if code, stdout, stderr := sub(t, auth.NewToken(), "token", "verify", f.File("tokens")); code != 1 || stdout != "" || stderr != "sockmux: unauthorized: the token is not known\n" {
		t.Errorf("another token: exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	if at, err := parseExpiry("90d", now); err != nil || !at.Equal(time.Date(2026, 4, 2, 3, 4, 5, 0, time.UTC)) {
		t.Errorf("%s, %v", at, err)
	}
}

// The texts are pinned: people search for them.
func TestMisuse(t *testing.T) {
	const checkUsage = ": want sockmux check-policy HOST:PORT [--as TOKEN | --policy NAME] [FLAG...]"
	const newUsage = ": want sockmux token new NAME [--policy NAME] [--expires TIME]"
	const socksUsage = ": want sockmux socks " + clientUsage + " [--listen HOST:PORT]"
	const forwardUsage = ": want sockmux forward " + clientUsage + " [HOST:]PORT|- TARGET:PORT"
	for _, test := range []struct {
		args, want string
		code       int
	}{
		{"token", "token: not expected: want a flag, or one of token new, token hash, token verify, check-policy, socks, forward, completion; see sockmux --help", exitUsage},
		{"serve", "serve: not expected: want a flag, or one of token new, token hash, token verify, check-policy, socks, forward, completion; see sockmux --help", exitUsage},
		{"token new", "NAME is missing" + newUsage, exitUsage},
		{"token new a b", "b: not expected" + newUsage, exitUsage},
		{"token new a --police x", "--police: no such flag" + newUsage, exitUsage},
		{"token new a --policy", "--policy: needs a value" + newUsage, exitUsage},
		{"token new a --expires soon", `--expires: "soon" is not a time: want one like 2027-01-31T00:00:00Z, 2027-01-31 or 90d`, exitUsage},
		{"token new a:b", `the name "a:b" or the policy "" cannot be written in a token file: no spaces, no colon and no leading #`, exitUsage},
		{"token hash", "standard input: the token is missing", 1},
		{"token verify", "FILE is missing: want sockmux token verify FILE", exitUsage},
		{"token verify none", "reading the token file: open none: no such file or directory", 1},
		{"socks", "--server is missing" + socksUsage, exitUsage},
		{"socks a", "a: not expected" + socksUsage, exitUsage},
		{"socks --server ftp://a", `--server: "ftp://a" is not a server URL` + socksUsage, exitUsage},
		{"socks --server http://a --cert b", "--cert and --key belong together" + socksUsage, exitUsage},
		{"socks --server http://a --token-from none", "--token-from: open none: no such file or directory", 1},
		{"socks --server http://a --ca none", "--ca: open none: no such file or directory", 1},
		{"forward --server http://a 1", "want a local address and a target" + forwardUsage, exitUsage},
		{"forward --server http://a 1 b", `"b" is not a target` + forwardUsage, exitUsage},
		{"check-policy", "want one target" + checkUsage, exitUsage},
		{"check-policy a.example", `"a.example" is not a target: want HOST:PORT, such as db.example.org:5432 or [2001:db8::7]:443`, exitUsage},
		{"check-policy a.example:0", `"a.example:0" is not a target: want HOST:PORT, such as db.example.org:5432 or [2001:db8::7]:443`, exitUsage},
		{"check-policy a_é.example:1", `invalid_request: host "a_é.example" is not ASCII; use its punycode form (xn--...)`, exitUsage},
		{"check-policy 8.8.8.8:1 --grace 1", `--grace: "1" is not a time: want a time from 100ms to 24h, such as 500ms, 30s or 2m, or 0 for not at all`, exitUsage},
		{"check-policy 8.8.8.8:1 --version", "--version: not expected" + checkUsage, exitUsage},
		{"check-policy 8.8.8.8:1 --policy staff", "the policy staff is not configured: want one of default", exitUsage},
		{"check-policy 8.8.8.8:1 --policy staff --as x", "--as and --policy: choose one" + checkUsage, exitUsage},
		{"check-policy 8.8.8.8:1 --as x", "--as: the server takes no credentials: want --token-file or another flag of the group Authentication", exitUsage},
		{"check-policy 8.8.8.8:1 --as x --auth-header X-User --trusted-proxies 127.0.0.1", "--as: the server takes no tokens: certificates have the policy default, and a proxy names it in --auth-policy-header: use --policy", exitUsage},
		{"completion", "SHELL is missing: want sockmux completion bash|zsh|fish", exitUsage},
		{"completion csh", `"csh" is not a supported shell: want sockmux completion bash|zsh|fish`, exitUsage},
	} {
		code, stdout, stderr := sub(t, "", strings.Fields(test.args)...)
		if code != test.code || stdout != "" || stderr != "sockmux: "+test.want+"\n" {
			t.Errorf("%s: exit code %d, stdout %q, stderr\n%s\nwant %d\n%s", test.args, code, stdout, stderr, test.code, test.want)
		}
	}
}

func TestCheckPolicy(t *testing.T) {
	f := servertest.NewFolder(t)
	alice, line := servertest.NewToken(t, "alice", "staff")
	bob, other := servertest.NewToken(t, "bob", "")
	f.Put("tokens", line+other)
	f.Put("sockmux.yaml", `
token-file: `+f.File("tokens")+`
policies:
  default:
    rules:
      - deny: "*:25"
  staff:
    rules:
      - deny: 10.9.0.0/16
      - allow: 10.0.0.0/8:5432
      - allow: localhost:80
`)
	for _, test := range []struct {
		args, stdin string
		code        int
		want        string
	}{
		{"10.1.2.3:5432 --as " + alice, "", 0, `identity alice policy=staff
policy staff
10.1.2.3
   1  deny 10.9.0.0/16                          10.1.2.3 is outside
>  2  allow 10.0.0.0/8:5432                     matches
  =>  10.1.2.3:5432 is allowed by the rule "allow 10.0.0.0/8:5432"
`},
		{"10.1.2.3:5432 --as -", bob + "\n", 1, `identity bob
policy default
10.1.2.3
   1  deny *:25                                 is about other ports than 5432
  =>  10.1.2.3:5432 is denied: the address is not public (private, RFC 1918) and no rule allows it
`},
		{"8.8.8.8:25", "", 1, `policy default
8.8.8.8
>  1  deny *:25                                 matches
  =>  8.8.8.8:25 is denied by the rule "deny *:25"
`},
		{"mail.example:25 --policy=default", "", 1, `policy default
denied: mail.example:25 is denied by the rule "deny *:25": no address is asked for
`},
		{"[2001:db8::7]:443 --policy staff", "", 1, `policy staff
2001:db8::7
   1  deny 10.9.0.0/16                          2001:db8::7 is outside
   2  allow 10.0.0.0/8:5432                     is about other ports than 443
   3  allow localhost:80                        is about other ports than 443
  =>  [2001:db8::7]:443 is denied: the address is not public (documentation, RFC 3849) and no rule allows it
`},
	} {
		// The flags of the server stand before or behind those of the command.
		words := strings.Fields(test.args)
		args := append([]string{"check-policy", words[0], "--config", f.File("sockmux.yaml")}, words[1:]...)
		if code, stdout, stderr := sub(t, test.stdin, args...); code != test.code || stdout != test.want || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q, stdout\n%s\nwant\n%s", test.args, code, stderr, stdout, test.want)
		}
	}
	code, stdout, _ := sub(t, "", "check-policy", "localhost:80", "--policy", "staff", "--config", f.File("sockmux.yaml"))
	if code != 0 || !strings.Contains(stdout, `  =>  localhost:80 at 127.0.0.1 is allowed by the rule "allow localhost:80"`) {
		t.Errorf("localhost: exit code %d, stdout\n%s", code, stdout)
	}
	if code, _, stderr := sub(t, "", "check-policy", "8.8.8.8:1", "--as", "smx_wrong", "--config", f.File("sockmux.yaml")); code != 1 || stderr != "sockmux: unauthorized: the token is not known\n" {
		t.Errorf("a wrong token: exit code %d, stderr %q", code, stderr)
	}
}

// --as takes a JWT as the server would, with the policy of its claim.
func TestCheckPolicyAsJWT(t *testing.T) {
	f := servertest.NewFolder(t)
	secret := bytes.Repeat([]byte{7}, 32)
	f.Put("keys.json", `{"keys":[{"kty":"oct","kid":"k","alg":"HS256","k":"`+base64.RawURLEncoding.EncodeToString(secret)+`"}]}`)
	f.Put("sockmux.yaml", "jwt-keys: "+f.File("keys.json")+"\npolicies: {staff: {rules: [{allow: \"10.0.0.0/8:5432\"}]}}\n")
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": "carol", "sockmux_policy": "staff", "exp": time.Now().Add(time.Hour).Unix()})
	unsigned.Header["kid"] = "k"
	token, err := unsigned.SignedString(secret)
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := sub(t, token, "check-policy", "10.1.2.3:5432", "--as", "-", "--config", f.File("sockmux.yaml"))
	if code != 0 || !strings.HasPrefix(stdout, "identity carol policy=staff expires=") || !strings.Contains(stdout, "\npolicy staff\n") || stderr != "" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// Every flag can be completed in every shell, and the scripts are ones that the shells take.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		code, script, stderr := sub(t, "", "completion", shell)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q", shell, code, stderr)
		}
		for _, f := range config.Flags() {
			flag := "--" + f.Name
			if shell == "fish" {
				flag = "-l " + f.Name
			}
			if !regexp.MustCompile(regexp.QuoteMeta(flag) + `\W`).MatchString(script) {
				t.Errorf("%s: no %s", shell, flag)
			}
		}
		for _, word := range []string{"token", "check-policy", "completion"} {
			if !strings.Contains(script, word) {
				t.Errorf("%s: no %s", shell, word)
			}
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			continue // what is not installed cannot judge
		}
		check := exec.Command(path, "-n")
		check.Stdin = strings.NewReader(script)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
		}
	}
}

// What bash offers behind a word.
func TestBashCompletes(t *testing.T) {
	path, err := exec.LookPath("bash")
	if err != nil {
		t.Log("no bash here")
		return
	}
	script := bashCompletion()
	for line, want := range map[string]string{"sockmux --token-f": "--token-file", "sockmux tok": "token", "sockmux token ver": "verify", "sockmux completion f": "fish"} {
		words := strings.Fields(line)
		program := script + "\nCOMP_WORDS=(" + line + ") COMP_CWORD=" + string(rune('0'+len(words)-1)) + "\n_sockmux; echo ${COMPREPLY[@]}"
		out, err := exec.Command(path, "-c", program).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", line, got, err, want)
		}
	}
}
