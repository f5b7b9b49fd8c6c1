// Command native is the benchmark without a browser: a Go client and the server, beside a
// plain relay with one WebSocket for each connection, chisel, and direct TCP. It is a
// module of its own so that the product does not depend on its rivals.
// docs/PERFORMANCE.md says how to read the figures.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// size is how much is measured.
type size struct {
	rounds     int
	bytes      int64 // of one transfer
	idle       int   // streams, sessions
	counts     []int // of streams at once
	directions []string
	opens      int
	long       int64         // bytes of a transfer at 100 ms, beside as many before
	calls      time.Duration // of calls of programs with full POSIX sockets
}

// families are what can be measured, in this order.
var families = []struct {
	name    string
	measure func(*world, *report, size) error
}{{"bulk", bulk}, {"open", open}, {"delay", delay}, {"idle", idle}, {"sessions", sessions}, {"posix", posix}, {"listen", listen}}

func names() []string {
	var all []string
	for _, f := range families {
		all = append(all, f.name)
	}
	return all
}

// stderr is the real one: chisel's client writes a line for each port to os.Stderr,
// whatever it is told.
var stderr = os.Stderr

func main() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
	if err := run(); err != nil {
		fmt.Fprintln(stderr, "native:", err)
		os.Exit(1)
	}
}

func run() error {
	var (
		rounds  = flag.Int("rounds", 5, "rounds; each measures every rival in turn")
		mega    = flag.Int("megabytes", 512, "of one bulk transfer")
		many    = flag.Int("idle", 10_000, "idle streams and sessions")
		quick   = flag.Bool("quick", false, "one round of everything")
		smoke   = flag.Bool("smoke", false, "only that everything works, in seconds")
		rivals  = flag.String("rivals", strings.Join(append(slices.Clone(kinds), original, originalNoDelay, remoteForward), ","), "to measure, beside sockmux")
		only    = flag.String("only", strings.Join(names(), ","), "families to measure")
		counts  = flag.String("counts", "1,10,100", "of streams at once in a bulk transfer")
		ways    = flag.String("directions", "down,up", "of transfers")
		out     = flag.String("out", "../out/native.json", "file for the values")
		profile = flag.String("profile", "", "folder for CPU profiles of server and client during bulk and calls of full POSIX sockets")
		list    = flag.Bool("list", false, "print the names of the families and exit")
		chisel  = flag.String("serve-chisel", "", "be the chisel server on this port (internal)")
	)
	flag.Parse()
	if *chisel != "" {
		return serveChisel(*chisel)
	}
	if *list {
		fmt.Println(strings.Join(names(), "\n"))
		return nil
	}
	wanted := strings.Split(*only, ",")
	for _, name := range wanted {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("-only %s: there is %s", name, strings.Join(names(), ", "))
		}
	}
	beside := strings.Split(*rivals, ",")
	kinds = slices.DeleteFunc(kinds, func(kind string) bool { return kind != "sockmux" && !slices.Contains(beside, kind) })
	for _, kind := range []string{original, originalNoDelay} {
		if slices.Contains(beside, kind) && os.Getenv(originalVariable) != "" {
			posixKinds = append(posixKinds, kind)
		}
	}
	if slices.Contains(beside, remoteForward) && slices.Contains(wanted, "listen") && hasSSHD() {
		listenKinds = append(listenKinds, remoteForward)
	}
	debug.SetGCPercent(400) // the client's collector is not what is measured
	s := size{rounds: *rounds, bytes: int64(*mega) << 20, idle: *many, opens: 2000, long: 384 << 20, calls: 2 * time.Second}
	for _, count := range strings.Split(*counts, ",") {
		n, err := strconv.Atoi(count)
		if err != nil {
			return fmt.Errorf("-counts: %w", err)
		}
		s.counts = append(s.counts, n)
	}
	s.directions = strings.Split(*ways, ",")
	if *quick {
		s.rounds = 1
	}
	if *smoke {
		s = size{rounds: 1, bytes: 8 << 20, idle: 50, counts: []int{1, 10}, directions: s.directions, opens: 50, long: 2 << 20, calls: 50 * time.Millisecond}
		*out = "../out/native-smoke.json"
	}
	w, err := startWorld(s)
	if err != nil {
		return err
	}
	defer w.stop()
	w.profile = *profile
	r := &report{Title: fmt.Sprintf("native, %d rounds", s.rounds), Facts: map[string]any{}}
	for _, f := range families {
		if !slices.Contains(wanted, f.name) {
			continue
		}
		if err := f.measure(w, r, s); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if err := r.write(*out); err != nil { // what was measured stays if a later family fails
			return err
		}
	}
	return nil
}
