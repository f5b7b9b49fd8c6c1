package forward_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/proxy"

	"github.com/sockmux/sockmux/internal/test/product"
)

// command is the assembled command with arguments, which ends with the test.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := product.Binary()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.Stderr = t.Output()
	return c
}

// listening starts a command and returns the address that it prints.
func listening(t *testing.T, args ...string) string {
	t.Helper()
	return started(t, command(t, args...))
}

// started starts a command that listens and returns the address that it prints.
func started(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Wait(); !c.ProcessState.Success() { // the end of the context has interrupted it
			t.Errorf("%s: %v", c.Args[1], err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// tokens starts a server that asks for a token, and returns a file with one that it takes.
func tokens(t *testing.T) (server *product.Server, file string) {
	t.Helper()
	code, out, _ := product.Run(t, "token", "new", "tester")
	token, line, ok := strings.Cut(out, "\n")
	if code != 0 || !ok {
		t.Fatalf("token new: %d, %q", code, out)
	}
	known, file := filepath.Join(t.TempDir(), "known"), filepath.Join(t.TempDir(), "token")
	for name, text := range map[string]string{known: line, file: token + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return product.Start(t, "--allow", "127.0.0.1", "--token-file", known), file
}

func TestForwardCommand(t *testing.T) {
	server, file := tokens(t)
	address := listening(t, "forward", "--server", server.URL(), "--token-from", file, "0", upper(t))
	wantAnswer(t, func() (net.Conn, error) { return net.Dial("tcp", address) })
}

func TestSOCKSCommand(t *testing.T) {
	server, file := tokens(t)
	address := listening(t, "socks", "--listen", "127.0.0.1:0", "--server="+server.URL(), "--token-from", file)
	dialer, err := proxy.SOCKS5("tcp", address, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	target := upper(t)
	wantAnswer(t, func() (net.Conn, error) { return dialer.Dial("tcp", target) })
}

// TestStandard: the ProxyCommand of ssh. The output ends with the target's direction, while the
// input is still open.
func TestStandard(t *testing.T) {
	server, file := tokens(t)
	target := product.Target(t, func(c *net.TCPConn) {
		line, _ := bufio.NewReader(c).ReadString('\n')
		_, _ = io.WriteString(c, strings.ToUpper(line))
	})
	c := command(t, "forward", "--server", server.URL(), "--token-from", file, "-", target.String())
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "question\n"); err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(out); string(all) != "QUESTION\n" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("the command ends with %v", err)
	}
}

// TestTokenIsAsked: without its token the command says so.
func TestTokenIsAsked(t *testing.T) {
	server, _ := tokens(t)
	code, out, stderr := product.Run(t, "forward", "--server", server.URL(), "-", "127.0.0.1:1")
	if code != 1 || out != "" || !strings.Contains(stderr, "unauthorized") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, stderr)
	}
}
