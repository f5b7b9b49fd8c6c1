package proxies_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sockmux/sockmux/shared/client"
	"github.com/sockmux/sockmux/shared/mux"
	"github.com/sockmux/sockmux/shared/wire"
)

// check is what an operator wants of every proxy.
func check(t *testing.T, f *front) {
	t.Run("echo", func(t *testing.T) { checkEcho(t, f) })
	t.Run("half-close", func(t *testing.T) { checkHalfClose(t, f) })
	t.Run("strangers", func(t *testing.T) { checkStrangers(t, f) })
	t.Run("origins", func(t *testing.T) { checkOrigins(t, f) })
	t.Run("files", func(t *testing.T) { checkFiles(t, f) })
	t.Run("transfers", func(t *testing.T) { checkTransfers(t, f, nil) })
	t.Run("reload", func(t *testing.T) { checkReload(t, f) })
}

// checkEcho: the upgrade passes, bytes pass both ways, and the log has the client's
// address and neither the proxy's nor what the client claims.
func checkEcho(t *testing.T, f *front) {
	s := f.open(t).connect(t, "echo")
	say(t, s, "through the proxy")
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(s); err != nil || len(rest) != 0 {
		t.Errorf("after the half-close: %q, error %v", rest, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	f.logged(t, "msg=stream", fmt.Sprintf("target=demo.test:%d", f.port(t, "echo")), "peer="+visitor+":")
	for _, s := range f.servers {
		if strings.Contains(s.log.String(), forged.Get("X-Forwarded-For")) {
			t.Errorf("the log has the address that the client made up:\n%s", s.log)
		}
	}
}

// checkStrangers: the example as it is refuses clients without credentials.
func checkStrangers(t *testing.T, f *front) {
	s, err := f.openWith(t, "").Open(wire.Request{Kind: wire.TCP, Host: wire.ParseHost("demo.test"), Port: f.port(t, "echo")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if result, err := s.Result(ctx); err == nil || !strings.Contains(err.Error(), "unauthorized") {
		t.Errorf("a stream without credentials: %v, error %v", result, err)
	}
}

// say sends a text through an echo and wants it back.
func say(t *testing.T, s *mux.Stream, text string) {
	t.Helper()
	if _, err := io.WriteString(s, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(s, got); err != nil || string(got) != text {
		t.Fatalf("echo %q, error %v, want %q", got, err, text)
	}
}

// checkHalfClose: the target ends its direction, and what is written after that arrives.
func checkHalfClose(t *testing.T, f *front) {
	p := f.open(t)
	s := p.connect(t, "half-close")
	if greeting, err := io.ReadAll(s); err != nil || len(greeting) == 0 {
		t.Fatalf("greeting %q, error %v", greeting, err)
	}
	const after = 12345
	if _, err := s.Write(make([]byte, after)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the target tells what it got after its end", func() bool {
		report, err := io.ReadAll(p.connect(t, "half-close-report"))
		if err != nil {
			t.Fatal(err)
		}
		return string(report) == fmt.Sprintf("%d\n", after)
	})
}

// checkOrigins: Origin and Host arrive as the browser sent them.
func checkOrigins(t *testing.T, f *front) {
	for _, origin := range f.origins {
		c, err := f.dial(t.Context(), origin)
		if err != nil {
			t.Fatalf("%s: %v", origin, err)
		}
		_ = c.Close(0, "") // it was only a question
	}
	for _, origin := range []string{"https://evil.example.org", "http://" + f.host, "null"} {
		c, err := f.dial(t.Context(), origin)
		if err == nil {
			_ = c.Close(0, "") // it should not exist
			t.Errorf("%s may connect", origin)
		} else if !strings.Contains(err.Error(), "403") {
			t.Errorf("%s: error %v, want status 403", origin, err)
		}
	}
	if response, body := f.get(t, f.url("v1/connect"), nil); response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %s %s, want 426", response.Status, body)
	}
}

// checkFiles: page, script and wasm come with the headers, the coding and the bytes that
// the server gives them.
func checkFiles(t *testing.T, f *front) {
	if response, body := f.get(t, f.url("healthz"), nil); response.StatusCode != http.StatusOK || string(body) != "ok\n" {
		t.Errorf("healthz: %s %q", response.Status, body)
	}
	if below := strings.TrimSuffix(f.prefix, "/"); below != "" {
		response, _ := f.get(t, "https://"+host+below, nil)
		if to, err := response.Location(); err != nil || response.StatusCode/100 != 3 || to.Path != f.prefix || to.Hostname() != host {
			t.Errorf("%s: %s to %v, error %v, want to %s", below, response.Status, to, err, f.prefix)
		}
	}
	direct := &front{addr: f.servers[0].addr, host: host, roots: f.roots, prefix: f.prefix}
	unproxied := func(path string, header http.Header) (*http.Response, []byte) {
		if strings.HasPrefix(f.servers[0].url, "https:") {
			return direct.get(t, direct.url(path), header)
		}
		return direct.get(t, "http://"+host+f.prefix+path, header)
	}
	for path, media := range map[string]string{"": "text/html", "sockmux.js": "text/javascript", "sockmux.mjs": "text/javascript", "sockmux.wasm": "application/wasm"} {
		for _, coding := range []string{"br", "gzip", "identity"} {
			header := http.Header{"Accept-Encoding": {coding}}
			response, body := f.get(t, f.url(path), header)
			if response.StatusCode == http.StatusServiceUnavailable && strings.Contains(string(body), "not built") {
				if required {
					t.Fatal("the script is not built (make assets)")
				}
				t.Skip("the script is not built (make assets)")
			}
			want, content := unproxied(path, header)
			got := response.Header
			if response.StatusCode != http.StatusOK || !strings.HasPrefix(got.Get("Content-Type"), media) || coding != "identity" && got.Get("Content-Encoding") != coding {
				t.Errorf("%q as %s: %s, %v", path, coding, response.Status, got)
			}
			for _, name := range []string{
				"Content-Type", "Content-Encoding", "Cache-Control", "Etag", "Vary", "X-Content-Type-Options", "Access-Control-Allow-Origin",
				"Cross-Origin-Resource-Policy", "Cross-Origin-Embedder-Policy", "Cross-Origin-Opener-Policy", "Content-Security-Policy",
			} {
				if got.Get(name) != want.Header.Get(name) {
					t.Errorf("%q as %s: %s is %q, the server says %q", path, coding, name, got.Get(name), want.Header.Get(name))
				}
			}
			if !bytes.Equal(body, content) {
				t.Errorf("%q as %s: %d bytes, the server sends %d, or others", path, coding, len(body), len(content))
			}
		}
	}
}

// transfer is how much each direction carries.
const transfer = 20_000_000

// checkTransfers moves bytes both ways at once; in the middle it calls between.
func checkTransfers(t *testing.T, f *front, between func(*page)) {
	p := f.open(t)
	down, up := p.connect(t, "download"), p.connect(t, "sum")
	if _, err := fmt.Fprintf(down, "%d\n", transfer); err != nil {
		t.Fatal(err)
	}
	got, sent := sha256.New(), sha256.New()
	source := new(pattern)
	move := func(n int64) {
		t.Helper()
		uploaded := make(chan error, 1)
		go func() {
			_, err := io.CopyN(io.MultiWriter(up, sent), source, n)
			uploaded <- err
		}()
		_, err := io.CopyN(got, down, n)
		if err := <-uploaded; err != nil {
			t.Fatalf("upload: %v", err)
		}
		if err != nil {
			t.Fatalf("download: %v", err)
		}
	}
	move(transfer / 4)
	if between != nil {
		between(p)
	}
	move(transfer - transfer/4)
	if rest, err := io.ReadAll(down); err != nil || len(rest) != 0 {
		t.Errorf("behind the download: %d bytes, error %v", len(rest), err)
	}
	if err := up.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	report, err := io.ReadAll(up)
	if err != nil {
		t.Fatal(err)
	}
	whole := sha256.New()
	_, _ = io.CopyN(whole, new(pattern), transfer) // neither end fails
	want := hex.EncodeToString(whole.Sum(nil))
	if digest := hex.EncodeToString(got.Sum(nil)); digest != want {
		t.Errorf("downloaded bytes with the digest %s, want %s", digest, want)
	}
	if answer := fmt.Sprintf("%d %s\n", transfer, want); string(report) != answer {
		t.Errorf("the target got %q, want %q", report, answer)
	}
}

// pattern gives the bytes of the demo service download: byte i is i mod 251.
type pattern struct{ at int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.at % 251)
		p.at++
	}
	return len(b), nil
}

// checkReload: the proxy takes its configuration anew and cuts the carrier in the middle
// of two transfers; the session comes back, and no byte is lost.
func checkReload(t *testing.T, f *front) {
	checkTransfers(t, f, func(p *page) {
		from := p.count()
		f.reload(t)
		lost := p.reached(from, client.Resuming, patience)
		if lost < 0 {
			t.Fatal("the reload did not cut the carrier")
		}
		if p.reached(lost, client.Open, patience) < 0 {
			t.Fatal("the session did not come back")
		}
	})
	f.logged(t, "msg=\"session resumed\"")
}

// How long a proxy of checkIdle waits for a sign of life, and how often one is given. The
// first is short for the test; the second is the shortest that the server takes.
const (
	idleTimeout = 3 * time.Second
	keepalive   = time.Second
)

// checkIdle: a session that moves nothing for longer than the proxy's patience lives by its pings.
func checkIdle(t *testing.T, f *front) {
	p := f.open(t)
	s := p.connect(t, "echo")
	say(t, s, "before")
	from := p.count()
	if p.reached(from, client.Resuming, 2*idleTimeout+keepalive) >= 0 { // waits for all that time when all is well
		t.Error("the proxy cut an idle session")
	}
	say(t, s, "after")
}

// checkIdleBites: the same without pings is cut, or checkIdle would prove nothing. The
// session comes back all the same.
func checkIdleBites(t *testing.T, f *front) {
	p := f.open(t)
	s := p.connect(t, "echo")
	say(t, s, "before")
	lost := p.reached(0, client.Resuming, patience)
	if lost < 0 {
		t.Fatal("the proxy cuts no idle session")
	}
	if p.reached(lost, client.Open, patience) < 0 {
		t.Fatal("the session did not come back")
	}
	say(t, s, "after")
}
