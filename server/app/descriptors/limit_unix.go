//go:build unix

package descriptors

import (
	"math"
	"syscall"
)

// Limit returns how many descriptors the process may have, 0 if that is not known. Go raises
// the soft limit to the hard one when the program starts.
func Limit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), math.MaxInt32))
}
