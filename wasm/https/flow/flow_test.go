package flow_test

import (
	"errors"
	"io"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/wasm/https/flow"
	"github.com/sockmux/sockmux/wasm/memory"
)

func queue() (*flow.Queue, *memory.Pool, *int) {
	pool, taken := &memory.Pool{}, new(int)
	return flow.NewQueue(pool, func(n int) { *taken += n }), pool, taken
}

func put(q *flow.Queue, pool *memory.Pool, text string) {
	b := pool.Get(len(text))
	copy(b, text)
	q.Put(b)
}

func TestQueueJoinsAndCounts(t *testing.T) {
	q, pool, taken := queue()
	put(q, pool, "ab")
	put(q, pool, "cde")
	q.End(io.EOF)
	put(q, pool, "late") // dropped
	b := make([]byte, 4)
	for _, want := range []string{"abcd", "e"} {
		n, err := q.Read(b)
		if string(b[:n]) != want || err != nil {
			t.Errorf("got %q, %v, want %q", b[:n], err, want)
		}
	}
	if n, err := q.Read(b); n != 0 || err != io.EOF || *taken != 5 {
		t.Errorf("got %d, %v, %d taken", n, err, *taken)
	}
	if n, err := q.Read(nil); n != 0 || err != nil {
		t.Errorf("no room: %d, %v", n, err)
	}
}

func TestQueueFailsAtOnce(t *testing.T) {
	q, pool, _ := queue()
	put(q, pool, "dropped")
	failure := errors.New("failure")
	q.Fail(failure)
	if _, err := q.Read(make([]byte, 9)); err != failure {
		t.Errorf("got %v", err)
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, _, _ := queue()
		credit := flow.NewCredit(0)
		start := time.Now()
		q.SetDeadline(start.Add(time.Second))
		if _, err := q.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Read: %v after %v", err, time.Since(start))
		}
		credit.SetDeadline(start.Add(3 * time.Second))
		if _, err := credit.Take(1); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Take: %v after %v", err, time.Since(start))
		}
		q.SetDeadline(time.Time{})
		go q.End(io.EOF)
		if _, err := q.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("without a deadline: %v", err)
		}
	})
}

func TestCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := flow.NewCredit(3)
		take := func(want, n int, failure error) {
			t.Helper()
			if got, err := c.Take(want); got != n || err != failure {
				t.Errorf("Take(%d): %d, %v", want, got, err)
			}
		}
		take(2, 2, nil)
		take(2, 1, nil)
		go c.Give(5)
		take(9, 5, nil)
		failure := errors.New("failure")
		go c.Fail(failure)
		take(1, 0, failure)
		c.Fail(io.EOF)
		take(1, 0, failure)
	})
}
