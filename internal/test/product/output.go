package product

import (
	"bytes"
	"strings"
	"sync"
)

// output keeps what a process writes. Any number of goroutines may use it.
type output struct {
	mu   sync.Mutex
	text []byte
	news chan struct{} // closed by the next Write; nil: no one waits
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	if o.news != nil {
		close(o.news)
		o.news = nil
	}
	return len(p), nil
}

// from returns the complete lines that begin at or after an offset, the offset behind them,
// and a channel that is closed with the next Write.
func (o *output) from(offset int) (lines []string, next int, news <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.news == nil {
		o.news = make(chan struct{})
	}
	next = bytes.LastIndexByte(o.text, '\n') + 1
	if next <= offset {
		return nil, offset, o.news
	}
	return strings.Split(string(o.text[offset:next-1]), "\n"), next, o.news
}

// String returns everything so far.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.text)
}

// firstLine gives the first line that is written and drops the rest.
type firstLine struct {
	line chan string // has one place
	text []byte
	done bool
}

func newFirstLine() *firstLine { return &firstLine{line: make(chan string, 1)} }

// Write never fails. It is for one goroutine.
func (f *firstLine) Write(p []byte) (int, error) {
	if f.done {
		return len(p), nil
	}
	f.text = append(f.text, p...)
	if line, _, ok := bytes.Cut(f.text, []byte("\n")); ok {
		f.done = true
		f.line <- string(line)
	}
	return len(p), nil
}
