package servertest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestLogOfManyWriters(t *testing.T) {
	var log servertest.Log
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 100 {
				fmt.Fprintln(&log, "line")
				_ = log.String() // while others write
			}
		})
	}
	writers.Wait()
	if got := strings.Count(log.String(), "line\n"); got != 800 {
		t.Errorf("%d lines", got)
	}
}
