package test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sockmux/sockmux/internal/test/ports"
	"github.com/sockmux/sockmux/internal/test/product"
)

func TestHTTP(t *testing.T) {
	target := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "the target was asked by", r.Proto)
	}))
	target.EnableHTTP2 = true
	target.StartTLS()
	defer target.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: target.Certificate().Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	server := product.Start(t, "--allow", "127.0.0.1")

	for _, test := range []struct {
		protocol string
		flags    []string
	}{{"HTTP/2.0", nil}, {"HTTP/1.1", []string{"--http1"}}} {
		args := append([]string{"--server", server.URL(), "--ca", ca}, append(test.flags, target.URL)...)
		code, stdout, stderr := run(t, "http", args...)
		if code != 0 || stdout != "the target was asked by "+test.protocol+"\n" || stderr != test.protocol+" 200 OK\n" {
			t.Errorf("%v: exit code %d, stdout %q, stderr %q", test.flags, code, stdout, stderr)
		}
	}
	code, _, stderr := run(t, "http", "--server", server.URL(), target.URL)
	if code != 1 || !strings.Contains(stderr, "certificate") {
		t.Errorf("without the target's authority: exit code %d, %q", code, stderr)
	}
	code, _, stderr = run(t, "http", "--server", server.URL(), "http://127.0.0.1:"+ports.FreeFor(t))
	if code != 1 || !strings.Contains(stderr, "refused") {
		t.Errorf("a port without a listener: exit code %d, %q", code, stderr)
	}
}

// TestNative: the example without a protocol.
func TestNative(t *testing.T) {
	server := product.Start(t, "--allow", "127.0.0.1")
	code, stdout, stderr := run(t, "native", server.URL(), product.Echo(t).String(), "a line")
	if code != 0 || stdout != "a line\n" {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}
