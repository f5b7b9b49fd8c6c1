package ends_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/shared/client"
)

// roleVariable makes the test binary a client that is there to be killed: "URL TARGET BYTES".
const roleVariable = "SOCKMUX_ENDS_CLIENT"

// play opens a stream, writes, says so, and waits to be killed.
func play(words []string) int {
	c := client.New(client.Config{Dial: product.Transport(words[0])})
	s, err := c.Open(product.Request(netip.MustParseAddrPort(words[1])))
	if err == nil {
		var n int64
		_, _ = fmt.Sscan(words[2], &n) // the test's own text
		_, err = io.Copy(s, data(n))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("written")
	select {}
}

// TestKilledClient: the target of a client that dies without a word gets what was written and
// then a reset, never an end that looks complete.
func TestKilledClient(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1", "--grace", "300ms")
	sc := newScene(t, s, path{}, reader)
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%s %s 50000", roleVariable, s.ConnectURL(), sc.target))
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	sc.must(err)
	sc.must(command.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	_ = command.Process.Kill() // fails only if it has ended
	_ = command.Wait()         // "signal: killed"
	sc.must(err)
	if got := sc.targetSaw(); got.end != "reset" || got.bytes > 50_000 { // a reset may overtake bytes
		t.Errorf("the target saw %+v, want at most 50000 bytes and a reset", got)
	}
	if code := sc.accessLine(); code != "session_lost" {
		t.Errorf("the access line has the code %q, want session_lost", code)
	}
}

// TestDrain: at SIGTERM streams go on to their ends, and the server ends with the last one.
func TestDrain(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	sc := newScene(t, s, path{}, answerer)
	stream := sc.open()
	sc.send(stream, 1000)
	s.Signal(syscall.SIGTERM)
	s.WaitLog("draining")
	sc.send2(stream, 1000, moved)
	sc.must(stream.CloseWrite())
	wantSeen(t, "client", read(stream), seen{moved, "EOF"})
	wantSeen(t, "target", sc.targetSaw(), seen{moved, "EOF"})
	sc.must(stream.Close())
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if code := sc.accessLine(); code != "ok" {
		t.Errorf("the access line has the code %q, want ok", code)
	}
}

// send2 continues data from an offset to a size.
func (sc *scene) send2(w io.Writer, offset, size int64) {
	sc.t.Helper()
	r := data(size)
	_, _ = io.CopyN(io.Discard, r, offset) // data has no fault
	if _, err := io.Copy(w, r); err != nil {
		sc.t.Fatal(err)
	}
}

// TestStoppedServer: a second SIGTERM ends streams at once, with a reset at the target and a
// code at the client.
func TestStoppedServer(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	sc := newScene(t, s, path{}, func(conn *net.TCPConn) seen {
		return read(&confirming{conn, 1000})
	})
	stream := sc.open()
	sc.send(stream, 1000)
	_, err := io.ReadFull(stream, make([]byte, 1))
	sc.must(err)
	s.Signal(syscall.SIGTERM)
	s.WaitLog("draining")
	s.Signal(syscall.SIGTERM)
	wantSeen(t, "client", read(stream), seen{0, "draining"})
	wantSeen(t, "target", sc.targetSaw(), seen{1000, "reset"})
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// confirming writes a byte to its connection when it has read so many bytes.
type confirming struct {
	*net.TCPConn
	left int
}

func (c *confirming) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if c.left > 0 && c.left <= n {
		_, _ = c.Write([]byte{0}) // the client finds out if it does not come
	}
	c.left -= n
	return n, err
}

// TestKilledServer: the streams of a server that dies end with unknown_session when another
// one has taken its place, and the next stream works.
func TestKilledServer(t *testing.T) {
	s := product.Start(t, "--allow", "127.0.0.1")
	sc := newScene(t, s, path{}, reader)
	stream := sc.open()
	s.Signal(syscall.SIGKILL)
	s.Wait()
	next := product.Start(t, "--allow", "127.0.0.1")
	sc.proxy.SetUpstream(next.Addr())
	sc.client.RetryNow()
	wantSeen(t, "client", read(stream), seen{0, "unknown_session"})
	n := product.Open(t, sc.client, product.Echo(t))
	sc.send(n, 1000)
	sc.must(n.CloseWrite())
	wantSeen(t, "client", read(n), seen{1000, "EOF"})
}
