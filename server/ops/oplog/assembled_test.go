package oplog_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sockmux/sockmux/internal/test/ports"
	"github.com/sockmux/sockmux/internal/test/product"
	"github.com/sockmux/sockmux/internal/test/servertest"
)

// opens opens and closes streams to an echo, many at a time.
func opens(t *testing.T, s *product.Server, n int) {
	t.Helper()
	const atOnce = 20
	target, c := product.Echo(t), s.Dial(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var left atomic.Int64
	left.Store(int64(n))
	var tasks sync.WaitGroup
	for range atOnce {
		tasks.Go(func() {
			for left.Add(-1) >= 0 {
				stream, err := product.Opened(ctx, c, target)
				if err != nil {
					t.Error(err)
					return
				}
				_ = stream.Close()
			}
		})
	}
	tasks.Wait()
	c.Close()
}

// blocked starts a server whose log is not read.
func blocked(t *testing.T, args ...string) (s *product.Server, log *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	s = product.Options{Stderr: writer}.Start(t, append([]string{"--allow", "127.0.0.1"}, args...)...)
	_ = writer.Close() // the process has its own
	return s, reader
}

// scrape reads the server's metrics.
func scrape(t *testing.T, admin string) string {
	t.Helper()
	response, err := http.Get(admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// metric reads a series of the server's metrics.
func metric(t *testing.T, admin, series string) int {
	t.Helper()
	match := regexp.MustCompile("(?m)^" + regexp.QuoteMeta(series) + " (\\S+)$").FindStringSubmatch(scrape(t, admin))
	if match == nil {
		t.Fatalf("%s is not exposed", series)
	}
	value, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(value)
}

// enough is more opens than the pipe of a log (64 KiB) and the queue in front of it hold lines.
const enough = 5000

// A log that is not read stalls nothing, and what was lost is counted and told of once it is read
// again.
func TestLogThatIsNotRead(t *testing.T) {
	const address = "127.0.0.1:0"
	s, log := blocked(t, "--admin", address)
	first := make([]byte, 4096)
	n, err := log.Read(first) // the lines of the start
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`operators","address":"([^"]+)"`).FindSubmatch(first[:n])
	if match == nil {
		t.Fatalf("log %s", first[:n])
	}
	opens(t, s, enough)
	lost := metric(t, "http://"+string(match[1]), `sockmux_log_lines_dropped_total{cause="queue"}`)
	if lost == 0 {
		t.Error("no lines were lost")
	}
	s.Signal(syscall.SIGTERM)
	var rest strings.Builder
	if _, err := io.Copy(&rest, log); err != nil {
		t.Fatal(err)
	}
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	told := 0
	for line := range strings.Lines(rest.String()) {
		var l struct {
			Msg   string `json:"msg"`
			Queue int    `json:"queue_full"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		told += l.Queue
	}
	if told < lost {
		t.Errorf("the log tells of %d lines that were lost, want %d at least", told, lost)
	}
}

// One signal ends a server whose log is not read when its streams have ended, a second one at
// once.
func TestSignalsWithALogThatIsNotRead(t *testing.T) {
	for signals := 1; signals <= 2; signals++ {
		t.Run(fmt.Sprint(signals), func(t *testing.T) {
			s, _ := blocked(t, "--drain-timeout", "1h")
			opens(t, s, enough)
			if signals == 2 { // what would keep the drain
				product.Open(t, s.Dial(t), product.Echo(t))
			}
			s.Signal(syscall.SIGTERM)
			if signals == 2 {
				draining(t, s) // two signals at once may be one for the system
				s.Signal(syscall.SIGTERM)
			}
			if code := s.Wait(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// draining waits until the server says that it drains.
func draining(t *testing.T, s *product.Server) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) { // polls, bounded
		response, err := http.Get(s.URL() + "readyz")
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable {
			http.DefaultClient.CloseIdleConnections()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not drain")
		}
	}
}

// A reader of the log that dies takes nothing with it.
func TestLogReaderDies(t *testing.T) {
	s, log := blocked(t)
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	opens(t, s, 100)
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A disk that is full stalls nothing either, and lost lines are counted.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer full.Close()
	admin := "127.0.0.1:" + ports.FreeFor(t) // the log cannot tell it
	s := product.Options{Stderr: full}.Start(t, "--allow", "127.0.0.1", "--admin", admin)
	opens(t, s, 100)
	servertest.Eventually(t, time.Minute, "the lost lines are counted", func() bool {
		return metric(t, "http://"+admin, `sockmux_log_lines_dropped_total{cause="write"}`) >= 100
	})
	s.Signal(syscall.SIGTERM)
	if code := s.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
