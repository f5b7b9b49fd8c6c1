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

// program does what a page's program does, and ends in the way that its argument names.
const program = `package main

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

type named string

type number int

type failure struct{ of string }

func (f failure) Error() string { return "failure of " + f.of }

func (f failure) where() string { return f.of }

type place interface{ where() string }

//go:noinline
func ask(p place) string { return p.where() }

func deep(n int, hold []byte) int {
	own := make([]byte, 100+n)
	if n == 0 {
		runtime.GC()
		return len(hold)
	}
	return deep(n-1, own) + len(own) - len(hold)
}

func work() {
	var wait sync.WaitGroup
	results := make(chan int)
	for i := range 50 {
		wait.Go(func() { results <- deep(200+i, make([]byte, 300+i)) })
	}
	go func() { wait.Wait(); close(results) }()
	sum := 0
	for r := range results {
		sum += r
	}
	println("sum", sum)

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	select {
	case <-ctx.Done():
		println("context", ctx.Err().Error(), errors.Is(ctx.Err(), context.DeadlineExceeded))
	case <-time.After(time.Minute):
		println("late")
	}
	freed := make(chan bool, 1)
	runtime.AddCleanup(new([64]byte), func(c chan bool) { c <- true }, freed)
	runtime.GC()
	println("freed", <-freed)
	fired := 0
	for range time.Tick(time.Millisecond) {
		if fired++; fired == 3 {
			break
		}
	}
	_, err := strconv.Atoi("x1")
	println("error", err.Error())
	println("date", time.Unix(86400, 0).UTC().Format(time.RFC3339))
}

func main() {
	switch os.Args[1] {
	case "work":
		work()
	case "string":
		panic("a string")
	case "named":
		panic(named("a name"))
	case "number":
		panic(number(7))
	case "error":
		panic(failure{"a test"})
	case "nil":
		var f *failure
		_ = f.where()
	case "method":
		var f *failure
		_ = ask(f)
	case "index":
		_ = os.Args[len(os.Args)]
	case "deadlock":
		select {}
	case "date":
		println(time.Unix(86400, 0).String())
	case "context":
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		println(ctx.(interface{ String() string }).String())
	}
}
`

// compiled returns the program, built with these flags.
func compiled(flags ...string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "leango")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	source, file := filepath.Join(dir, "main.go"), filepath.Join(dir, "program.wasm")
	if err := os.WriteFile(source, []byte(program), 0o644); err != nil {
		return nil, err
	}
	command := exec.Command("go", append(append([]string{"build", "-trimpath", "-ldflags=-s -w"}, flags...), "-o", file, source)...)
	command.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return os.ReadFile(file)
}

// whole and lean are the program without and with the overlay.
var (
	whole = sync.OnceValues(func() ([]byte, error) { return compiled() })
	lean  = sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "leango")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if err := run([]string{"-goroot", runtime.GOROOT(), "-out", dir}); err != nil {
			return nil, err
		}
		return compiled("-overlay=" + filepath.Join(dir, "overlay.json"))
	})
)

// executed runs a build of the program to its end and returns what it printed.
func executed(t *testing.T, binary func() ([]byte, error), end string, env ...string) string {
	t.Helper()
	content, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "program.wasm")
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
	runner := filepath.Join(runtime.GOROOT(), "lib", "wasm", "wasm_exec_node.js")
	node := exec.Command("node", "--stack-size=8192", runner, file, end)
	node.Env = append([]string{"PATH=" + os.Getenv("PATH")}, env...)
	out, _ := node.CombinedOutput() // a panic ends with an error
	return string(out)
}

func TestProgramRunsAsBefore(t *testing.T) {
	want := executed(t, whole, "work")
	if !strings.HasSuffix(want, "date 1970-01-02T00:00:00Z\n") {
		t.Fatalf("without the overlay it printed\n%s", want)
	}
	if got := executed(t, lean, "work"); got != want {
		t.Errorf("printed\n%swant\n%s", got, want)
	}
}

func TestSettingsChangeNothing(t *testing.T) {
	plain := executed(t, lean, "work")
	if got := executed(t, lean, "work", "GODEBUG=gctrace=1,schedtrace=1,inittrace=1,asynctimerchan=1"); got != plain {
		t.Errorf("with GODEBUG it printed\n%s", got)
	}
}

func TestEndsAreReported(t *testing.T) {
	for end, want := range map[string][]string{
		"string":   {"panic: a string\n", "main.main()"},
		"named":    {`panic: main.named("a name")` + "\n", "main.main()"},
		"number":   {"panic: (main.number) 0x"},
		"error":    {"panic: failure of a test"},
		"nil":      {"invalid memory address or nil pointer dereference"},
		"method":   {"panic: value method called using nil pointer"},
		"index":    {"panic: runtime error: index out of range [2] with length 2"},
		"deadlock": {"all goroutines are asleep - deadlock!"},
		"date":     {"86400 s after 1970"},
		"context":  {"context.Background.WithDeadline"},
	} {
		got := executed(t, lean, end)
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: printed %q, want %q", end, got, part)
			}
		}
	}
}

func TestLeftOut(t *testing.T) {
	left, err := lean()
	if err != nil {
		t.Fatal(err)
	}
	all, err := whole()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"runtime.initMetrics", "runtime.traceAdvance", "runtime.schedtrace", "runtime.moduledataverify1",
		"runtime.checkFinalizersAndCleanups", "internal/bisect.New", "internal/strconv.genericFtoa",
	} {
		if bytes.Contains(left, []byte(name)) || !bytes.Contains(all, []byte(name)) {
			t.Errorf("%s is in the program, or was not in it before", name)
		}
	}
}

// TestHTTPS: the changes for wasm/https name functions that there are, and what they leave
// compiles.
func TestHTTPS(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-goroot", runtime.GOROOT(), "-out", dir, "-https"}); err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	vet := exec.Command("go", "build", "-overlay="+overlay, "-o", os.DevNull, "net/http", "crypto/tls")
	vet.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestRefused(t *testing.T) {
	root := t.TempDir()
	file := func(name, content string) {
		t.Helper()
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(want string, c changes) {
		t.Helper()
		err := write(root, filepath.Join(root, "out"), map[string]changes{"runtime": c})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	settings := changes{settings: map[string]string{"slow": "int32(0)"}}

	refused("VERSION", changes{})
	file("VERSION", "go1.27rc1\ntime x")
	refused("is go1.27rc1, and the list of cuts is for "+release, changes{})
	file("VERSION", release+".3\ntime x")
	refused("src", changes{})
	file("src/runtime/a.go", "package runtime\n\nfunc here() {}\n")
	refused("package runtime has no function gone", changes{bodies: map[string]string{"here": "", "gone": ""}})
	file("src/runtime/a.go", "package runtime\n\nfunc parseRuntimeDebugVars() {\n\tdebug.slow = 1\n}\n")
	refused("a default of slow", settings)
	file("src/runtime/a.go", "package runtime\n\nvar all = []setting{{name: \"slow\", value: &debug.slow, def: 1}}\n")
	refused("a default of slow", settings)
	file("src/runtime/a.go", "package runtime\n\nfunc {")
	refused("expected", settings)

	if err := run(nil); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("no arguments: %v", err)
	}
}
