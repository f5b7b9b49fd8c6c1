package hostile_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
)

// soak reports whether the tests run at their full size (make soak).
var soak = os.Getenv("SOCKMUX_SOAK") != ""

// scaled is a size of the suite or, in a soak, of the soak.
func scaled(suite, full int) int {
	if soak {
		return full
	}
	return suite
}

// table counts what was tried and how it was answered.
type table struct {
	mu   sync.Mutex
	rows []*row
}

type row struct {
	layer, input string
	tried        int
	answers      map[string]int
}

// row begins a line of the table.
func (a *table) row(layer, input string) *row {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &row{layer: layer, input: input, answers: make(map[string]int)}
	a.rows = append(a.rows, r)
	return r
}

// add counts n inputs that had one answer.
func (a *table) add(r *row, n int, answer string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.tried += n
	r.answers[answer]++
}

func (a *table) String() string {
	var b strings.Builder
	total := 0
	b.WriteString("| layer | input | tried | the server's end |\n|---|---|---:|---|\n")
	for _, r := range a.rows {
		var answers []string
		for answer := range r.answers {
			answers = append(answers, answer)
		}
		slices.Sort(answers)
		fmt.Fprintf(&b, "| %s | %s | %d | %s |\n", r.layer, r.input, r.tried, strings.Join(answers, ", "))
		total += r.tried
	}
	fmt.Fprintf(&b, "| | **all** | **%d** | |\n", total)
	return b.String()
}

// closed is a close code as the table has it.
func closed(code int) string {
	if code == lost {
		return "cut"
	}
	return fmt.Sprint(code)
}
