package product_test

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/sockmux/sockmux/internal/test/product"
)

func TestFigures(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	s := product.Options{Files: 100, Stderr: writer}.Start(t)
	_ = writer.Close() // the process has its own
	if rss, peak := s.RSS(), s.PeakRSS(); rss < 1<<20 || peak < rss {
		t.Errorf("RSS %d, at most %d", rss, peak)
	}
	if n := s.Descriptors(); n < 4 || n > 100 {
		t.Errorf("%d descriptors", n)
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`Max open files +100 +100 `).Match(limits) {
		t.Errorf("limits\n%s", limits)
	}
	first := make([]byte, 1)
	if _, err := reader.Read(first); err != nil || len(s.Log()) != 0 {
		t.Errorf("pipe: %v; log: %q", err, s.Log())
	}
}
