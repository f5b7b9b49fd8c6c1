//go:build unix

// Package hook lets a benchmark look into a server's process: its CPU time, its memory,
// its goroutines and its profiles. It is built into what is measured by `go build
// -overlay` and sleeps unless BENCH_HOOK names an address.
package hook

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"
)

// Variable names the loopback address on which the figures are served.
const Variable = "BENCH_HOOK"

// Stats are the figures of a process since its start.
type Stats struct {
	CPU        time.Duration // user and system
	Alloc      uint64        // bytes allocated
	Mallocs    uint64        // objects allocated
	Live       uint64        // bytes of heap and stacks in use
	Stacks     uint64        // of which stacks
	RSS        int64         // resident bytes of the process; 0 where the system does not say
	Goroutines int
}

func init() {
	address := os.Getenv(Variable)
	if address == "" {
		return
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench hook:", err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/stats", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("gc") != "" {
			debug.FreeOSMemory() // collects first; what pools keep is gone after the second collection
			debug.FreeOSMemory()
		}
		_ = json.NewEncoder(w).Encode(Read()) // the benchmark sees a cut answer
	})
	mux.HandleFunc("/profile", pprof.Profile)
	mux.Handle("/heap", pprof.Handler("heap"))
	mux.Handle("/goroutine", pprof.Handler("goroutine"))
	go http.Serve(listener, mux) // lives as long as the process
}

// Read returns the figures of this process.
func Read() Stats {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // cannot fail with these arguments
	return Stats{
		CPU:        time.Duration(usage.Utime.Nano() + usage.Stime.Nano()),
		Alloc:      memory.TotalAlloc,
		Mallocs:    memory.Mallocs,
		Live:       memory.HeapInuse + memory.StackInuse,
		Stacks:     memory.StackInuse,
		RSS:        resident(),
		Goroutines: runtime.NumGoroutine(),
	}
}

func resident() int64 {
	var size, pages int64
	file, err := os.Open("/proc/self/statm")
	if err != nil {
		return 0
	}
	defer file.Close()
	if _, err := fmt.Fscan(file, &size, &pages); err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
