package product

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"testing"
)

// RSS returns the resident memory in bytes, 0 if the process has ended or the system has no
// /proc.
func (s *Server) RSS() int64 { return s.status("VmRSS:") }

// PeakRSS returns the largest RSS so far.
func (s *Server) PeakRSS() int64 { return s.status("VmHWM:") }

// status returns a field of /proc/PID/status that is in kB, in bytes.
func (s *Server) status(field string) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if words := bytes.Fields(line); len(words) == 3 && string(words[0]) == field {
			kB, _ := strconv.ParseInt(string(words[1]), 10, 64) // the kernel's own text
			return kB << 10
		}
	}
	return 0
}

// Descriptors returns how many files and sockets the process has open. It fails the test
// where the system does not tell.
func (s *Server) Descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
