// Package memory tells how much memory the process may use, and sets what sessions may hold.
//
//	all := budget.New(memory.Budget(settings.MaxMemory), floor)
//	memory.Bound(all.Max())
package memory

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
)

const (
	// share is the part of the memory that sessions may hold: half. The other half is for
	// Go's heap, which holds garbage beside what is used, and for the system's own buffers.
	share = 2
	// unknown is the budget where the system does not tell how much memory there is.
	unknown = 1 << 30
	// beside is what the process needs without sessions, in bytes.
	beside = 256 << 20
)

// Budget returns what sessions may hold, in bytes: wanted, or half of Limit where that is 0.
func Budget(wanted int64) int64 {
	if wanted > 0 {
		return wanted
	}
	if limit := Limit(os.DirFS("/")); limit > 0 {
		return limit / share
	}
	return unknown
}

// Bound lets Go collect garbage more often when the heap comes near a budget, unless GOMEMLIMIT
// has said something else. A quarter beside the budget keeps collections rare until then.
func Bound(budget int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(budget + budget/4 + beside)
	}
}

// Limit returns the least of what the process's control group (version 1 or 2) and the machine
// have, in bytes; 0 where neither is known. root is the file system's root.
func Limit(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	for _, n := range append(groups(root), machine(root)) {
		if n > 0 {
			least = min(least, n)
		}
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

// machine returns the memory of the machine (proc(5), /proc/meminfo).
func machine(root fs.FS) int64 {
	text, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) == 3 && words[0] == "MemTotal:" && words[2] == "kB" {
			return number(words[1]) << 10
		}
	}
	return 0
}

// groups returns the limits of the process's control groups and of those above them
// (cgroups(7)).
func groups(root fs.FS) (limits []int64) {
	file, err := root.Open("proc/self/cgroup")
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), ":", 3)
		if len(fields) < 3 {
			continue
		}
		switch folder := "sys/fs/cgroup"; {
		case fields[1] == "":
			limits = append(limits, upwards(root, folder, fields[2], "memory.max")...)
		case strings.Contains(","+fields[1]+",", ",memory,"):
			limits = append(limits, upwards(root, folder+"/memory", fields[2], "memory.limit_in_bytes")...)
		}
	}
	return limits
}

// upwards reads a file in a folder below base and in all folders between. In a container the
// folder may not be there, but base is the container's own.
func upwards(root fs.FS, base, folder, name string) (limits []int64) {
	for at := path.Clean("/" + folder); ; at = path.Dir(at) {
		if text, err := fs.ReadFile(root, path.Join(base, at, name)); err == nil {
			limits = append(limits, number(strings.TrimSpace(string(text))))
		}
		if at == "/" {
			return limits
		}
	}
}

// number returns 0 for "max" and for what is no number.
func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
