package product

import (
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running server. Its methods may be called by any goroutine, except those that
// say that they fail the test.
type Server struct {
	t       testing.TB
	command *exec.Cmd
	log     *output
	out     *firstLine
	url     *url.URL // as printed

	ended chan struct{} // closed when the process has ended
	err   error         // of Wait; valid then

	adminOnce sync.Once
	admin     string // URL; valid behind adminOnce
}

// wait is the goroutine that awaits the process.
func (s *Server) wait() {
	s.err = s.command.Wait()
	close(s.ended)
}

// awaitAddress waits for the first line that the server prints.
func (s *Server) awaitAddress() {
	s.t.Helper()
	var line string
	select {
	case line = <-s.out.line:
	case <-s.ended:
		select {
		case line = <-s.out.line: // it ended right after it
		default:
			s.t.Fatalf("sockmux %q ended before it listened: %v\n%s", s.command.Args[1:], s.err, s.log)
		}
	case <-time.After(patience):
		s.t.Fatalf("sockmux %q printed no address\n%s", s.command.Args[1:], s.log)
	}
	_, address, _ := strings.Cut(line, ": ")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		s.t.Fatalf("sockmux %q printed %q: no address: %v", s.command.Args[1:], line, err)
	}
	s.url = u
}

// URL returns the server's URL as printed: "http://127.0.0.1:PORT/", with a prefix if any.
func (s *Server) URL() string { return s.url.String() }

// ConnectURL returns the URL that clients connect to.
func (s *Server) ConnectURL() string { return s.url.JoinPath("v1/connect").String() }

// Addr returns HOST:PORT of URL.
func (s *Server) Addr() string { return s.url.Host }

// PID returns the number of the process.
func (s *Server) PID() int { return s.command.Process.Pid }

// Log returns the lines of standard error so far. It is empty with Options.Stderr.
func (s *Server) Log() []string {
	lines, _, _ := s.log.from(0)
	return lines
}

// WaitLog waits for a line of the log that holds the text, and returns it. It looks at the
// log from the start. It fails the test if the line does not come.
func (s *Server) WaitLog(text string) string {
	s.t.Helper()
	timeout := time.After(patience)
	for offset := 0; ; {
		lines, next, news := s.log.from(offset)
		for _, line := range lines {
			if strings.Contains(line, text) {
				return line
			}
		}
		offset = next
		select {
		case <-news:
		case <-s.ended:
			if _, last, _ := s.log.from(offset); last == offset {
				s.t.Fatalf("the server ended without %q in its log:\n%s", text, s.tail())
			}
		case <-timeout:
			s.t.Fatalf("never in the log: %q\n%s", text, s.tail())
		}
	}
}

// adminAddress is what the server logs of --admin, in either format of the log.
var adminAddress = regexp.MustCompile(`listening for operators"? ?,?"?address"?[=:]"?([^"\s]+)`)

// AdminURL returns "http://HOST:PORT" of a server with --admin and a log at level info. It
// fails the test where the log does not tell the address.
func (s *Server) AdminURL() string {
	s.t.Helper()
	s.adminOnce.Do(func() {
		line := s.WaitLog("listening for operators")
		if m := adminAddress.FindStringSubmatch(line); m != nil {
			s.admin = "http://" + m[1]
		}
	})
	if s.admin == "" {
		s.t.Fatal("the log tells no address for operators")
	}
	return s.admin
}

// Signal sends a signal. A process that has ended takes none.
func (s *Server) Signal(signal os.Signal) { _ = s.command.Process.Signal(signal) }

// Ended returns a channel that is closed when the process has ended.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Wait waits for the end of the process and returns its exit code, -1 if a signal ended it.
// It fails the test if the process does not end.
func (s *Server) Wait() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("the server does not end:\n%s", s.tail())
	}
	return s.command.ProcessState.ExitCode()
}

// stop ends the server at the test's end and checks how it went.
func (s *Server) stop() {
	s.end()
	text := s.log.String()
	for _, word := range []string{"panic: ", "fatal error: ", "DATA RACE"} {
		if at := strings.Index(text, word); at >= 0 {
			s.t.Errorf("the server's log has %q:\n%s", word, text[at:min(len(text), at+logShown)])
			return
		}
	}
	if code := s.command.ProcessState.ExitCode(); code == crashed || code == raced {
		s.t.Errorf("the server ended with exit code %d:\n%s", code, s.tail())
	} else if s.t.Failed() {
		s.t.Logf("the server's last lines:\n%s", s.tail())
	}
}

// Exit codes of Go's runtime.
const (
	crashed = 2  // a panic
	raced   = 66 // the race detector found something
)

// again is when a server that drains is asked to end now.
const again = 100 * time.Millisecond

// end asks the process to end, then to end now, then kills it.
func (s *Server) end() {
	kill := time.NewTimer(patience)
	defer kill.Stop()
	ask := time.NewTicker(again)
	defer ask.Stop()
	s.Signal(syscall.SIGTERM)
	for {
		select {
		case <-s.ended:
			return
		case <-ask.C:
			s.Signal(syscall.SIGTERM)
		case <-kill.C:
			s.t.Errorf("the server does not end when it is told to:\n%s", s.tail())
			_ = s.command.Process.Kill() // fails only if it has ended
			<-s.ended
			return
		}
	}
}

// logShown is how many bytes of a log a failure shows.
const logShown = 8000

func (s *Server) tail() string {
	text := s.log.String()
	return text[max(0, len(text)-logShown):]
}
