package memory_test

import (
	"testing"
	"testing/fstest"

	"github.com/sockmux/sockmux/server/app/memory"
)

func TestLimit(t *testing.T) {
	const meminfo = "MemTotal:       16384000 kB\nMemFree: 1 kB\n"
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for name, test := range map[string]struct {
		files fstest.MapFS
		want  int64
	}{
		"nothing is known": {fstest.MapFS{}, 0},
		"machine":          {fstest.MapFS{"proc/meminfo": file(meminfo)}, 16384000 << 10},
		"version 2": {fstest.MapFS{
			"proc/meminfo":     file(meminfo),
			"proc/self/cgroup": file("0::/system.slice/sockmux.service\n"),
			"sys/fs/cgroup/system.slice/sockmux.service/memory.max": file("536870912\n"),
			"sys/fs/cgroup/system.slice/memory.max":                 file("max\n"),
		}, 512 << 20},
		"version 2, a parent's": {fstest.MapFS{
			"proc/meminfo":                 file(meminfo),
			"proc/self/cgroup":             file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("max\n"),
			"sys/fs/cgroup/a/memory.max":   file("1073741824\n"),
		}, 1 << 30},
		"version 2 in a container": {fstest.MapFS{
			"proc/self/cgroup":         file("0::/\n"),
			"sys/fs/cgroup/memory.max": file("268435456\n"),
		}, 256 << 20},
		"version 1": {fstest.MapFS{
			"proc/meminfo":     file(meminfo),
			"proc/self/cgroup": file("8:pids:/\n4:memory:/box\n0::/\n"),
			"sys/fs/cgroup/memory/box/memory.limit_in_bytes": file("134217728\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes":     file("9223372036854771712\n"),
		}, 128 << 20},
		"version 1 without a limit": {fstest.MapFS{
			"proc/meminfo":     file(meminfo),
			"proc/self/cgroup": file("4:cpu,memory:/\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 16384000 << 10},
	} {
		if got := memory.Limit(test.files); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

func TestBudget(t *testing.T) {
	if got := memory.Budget(123); got != 123 {
		t.Errorf("%d, want what was asked for", got)
	}
	if got := memory.Budget(0); got < 64<<20 {
		t.Errorf("%d bytes of this machine", got)
	}
}
