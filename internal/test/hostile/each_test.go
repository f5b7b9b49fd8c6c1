package hostile_test

import (
	"runtime"
	"sync"
	"testing"
)

// task is the test as a goroutine of each has it. The methods that end a test end the goroutine.
type task struct{ testing.TB }

func (t task) FailNow() {
	t.Fail()
	runtime.Goexit()
}

func (t task) Fatal(why ...any) {
	t.Helper()
	t.Error(why...)
	runtime.Goexit()
}

func (t task) Fatalf(format string, args ...any) {
	t.Helper()
	t.Errorf(format, args...)
	runtime.Goexit()
}

// each runs the inputs, some at a time.
func each(t testing.TB, n int, try func(t testing.TB, i int)) {
	t.Helper()
	const atOnce = 8
	var tasks sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		tasks.Go(func() {
			for i := range next {
				ended := make(chan struct{}) // also where try fails
				go func() {
					defer close(ended)
					try(task{t}, i)
				}()
				<-ended
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	tasks.Wait()
}

// recorder is a test that only counts its errors.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Helper()      {}
func (r *recorder) Error(...any) { r.errors++ }

// TestEach checks that Fatal ends one input, and that the others run.
func TestEach(t *testing.T) {
	r := &recorder{TB: t}
	done := make(chan int, 3)
	each(r, 3, func(t testing.TB, i int) {
		if i == 1 {
			t.Fatal("the second input fails")
		}
		done <- i
	})
	if len(done) != 2 || r.errors != 1 {
		t.Errorf("%d inputs of 3 ended, %d errors; want 2 and 1", len(done), r.errors)
	}
}
