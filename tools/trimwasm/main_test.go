package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// program collects garbage from deep stacks, recovers panics, defers in loops, switches
// goroutines and reflects: all that walks the tables.
const program = `package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
)

type shape struct {
	Name  string
	Sides []int
}

func deep(n int, hold *shape) int {
	s := &shape{Name: fmt.Sprint(n), Sides: make([]int, 100)}
	if n == 0 {
		runtime.GC()
		return len(hold.Sides)
	}
	got := deep(n-1, s)
	if s.Name != fmt.Sprint(n) {
		panic("lost " + s.Name)
	}
	return got
}

func recovered() (err error) {
	defer func() { err = errors.Join(err, fmt.Errorf("recovered %v", recover())) }()
	for i := range 3 {
		defer func() { err = errors.Join(err, fmt.Errorf("deferred %d", i)) }()
	}
	var list []int
	return fmt.Errorf("unreachable %d", list[len(os.Args)+7])
}

func main() {
	var wait sync.WaitGroup
	for i := range 50 {
		wait.Go(func() {
			if deep(200+i, &shape{Sides: make([]int, 7)}) != 100 {
				panic("wrong")
			}
			runtime.Gosched()
		})
	}
	wait.Wait()
	fmt.Println(strings.ReplaceAll(recovered().Error(), "\n", "; "))
	fmt.Printf("%+v\n", shape{"square", []int{1, 2}})
	if len(os.Args) > 1 {
		var nobody *shape
		nobody.fail()
	}
}

//go:noinline
func (s *shape) fail() { s.Name = "x" }
`

const printed = "deferred 2; deferred 1; deferred 0; recovered runtime error: index out of range [8] with length 0; {Name:square Sides:[1 2]}"

// linked is the program as the linker writes it.
var linked = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "trimwasm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source, file := filepath.Join(dir, "main.go"), filepath.Join(dir, "program.wasm")
	if err := os.WriteFile(source, []byte(program), 0o644); err != nil {
		return nil, err
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, source)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(file)
})

func built(t testing.TB) []byte {
	t.Helper()
	file, err := linked()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// executed runs the program as the command trims it.
func executed(t *testing.T, args ...string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "program.wasm")
	if err := os.WriteFile(file, built(t), 0o644); err != nil {
		t.Fatal(err)
	}
	smaller := file + ".trimmed"
	if err := run([]string{"-in", file, "-out", smaller}); err != nil {
		t.Fatal(err)
	}
	runner := filepath.Join(runtime.GOROOT(), "lib", "wasm", "wasm_exec_node.js")
	node := exec.Command("node", append([]string{"--stack-size=8192", runner, smaller}, args...)...)
	node.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := node.CombinedOutput()
	return string(out), err
}

func TestProgramRunsAsBefore(t *testing.T) {
	out, err := executed(t)
	if got := strings.ReplaceAll(strings.TrimSpace(out), "\n", "; "); err != nil || !strings.HasSuffix(got, printed) {
		t.Fatalf("printed %q, %v", got, err)
	}
}

func TestPanicStillNamesTheFunction(t *testing.T) {
	out, err := executed(t, "fail")
	if err == nil || !strings.Contains(out, "nil pointer dereference") || !strings.Contains(out, "main.(*shape).fail") {
		t.Fatalf("printed %q, %v", out, err)
	}
	if strings.Contains(out, "main.go") {
		t.Errorf("a file name was left: %q", out)
	}
}

func TestSmaller(t *testing.T) {
	after, err := trim(built(t))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(after, []byte("runtime/proc.go")) {
		t.Error("names of files are still there")
	}
	m, err := parse(after)
	if err != nil {
		t.Fatal(err)
	}
	if r := (&reader{left: m.data}); r.unsigned() > 10_000 {
		t.Error("more than 10000 data segments")
	}
	again, err := trim(after)
	if err != nil || !bytes.Equal(again, after) {
		t.Errorf("trimmed once more it is not the same: %v", err)
	}
}

func TestRefused(t *testing.T) {
	good := header + "\x0b\x0a\x01\x00\x41\x08\x0b\x04\xf1\xff\xff\xff"
	for want, file := range map[string]string{
		"not a wasm file":                     "\x7fELF",
		"no data section":                     header + "\x00\x01\x00",
		"section at byte 8 is cut off":        header + "\x0b\x7f\x00",
		"data segment 0 is not one":           header + "\x0b\x03\x01\x01\x00",
		"data section is cut off":             header + "\x0b\x01\x80",
		"no function tables":                  good,
		"without a runtime.moduledata":        header + "\x0b\x56\x01\x00\x41\x08\x0b\x50" + string(tablesMagic) + strings.Repeat("\x07", 72),
		"data segment 0 is not one that Go's": header + "\x0b\x08\x01\x00\x41\x80\x80\x80\x80\x7f",
	} {
		if _, err := trim([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", file, err, want)
		}
	}
	if err := run([]string{"-in", filepath.Join(t.TempDir(), "none"), "-out", "x"}); !os.IsNotExist(err) {
		t.Errorf("a file that is not there: %v", err)
	}
	if err := run(nil); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("no arguments: %v", err)
	}
}

// FuzzTrim: whatever the tables say, an error comes back, never a panic.
func FuzzTrim(f *testing.F) {
	m, err := parse(built(f))
	if err != nil {
		f.Fatal(err)
	}
	memory, err := m.memory()
	if err != nil {
		f.Fatal(err)
	}
	start := bytes.Index(memory, tablesMagic)
	f.Add(uint32(start+8), uint32(1<<31))
	f.Add(uint32(start+64), uint32(5))
	f.Add(uint32(start+400), noData)
	f.Fuzz(func(t *testing.T, at, value uint32) {
		broken := bytes.Clone(memory)
		if uint64(at)+4 > uint64(len(broken)) {
			return
		}
		setField(broken, int(at), value)
		if tables, err := findTables(broken); err == nil {
			_ = tables.dropTraces()
		}
	})
}
