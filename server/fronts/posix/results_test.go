package posix

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/shared/budget"
)

// TestResults sends results in their order, those that have waited in one write, and holds their
// memory until they are sent.
func TestResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := budget.New(1<<30, 1).Account()
		goes := make(chan struct{})
		var sent []string
		var writes []int
		r := newResults(account, func(messages ...[]byte) error {
			<-goes
			writes = append(writes, len(messages))
			for _, m := range messages {
				sent = append(sent, string(m))
			}
			return nil
		}, func() { t.Error("it has failed") })
		var all sync.WaitGroup
		want := ""
		for i := range 1 + maxResults + 10 {
			all.Go(func() { r.answer(result{message: []byte{byte(i)}}) })
			synctest.Wait() // the first is being sent, others wait, the last wait for room
			want += string([]byte{byte(i)})
		}
		if n := account.Held(); n != 1+maxResults {
			t.Errorf("%d bytes are held, want %d", n, 1+maxResults)
		}
		goes <- struct{}{}
		synctest.Wait()
		close(goes)
		all.Wait()
		r.end()
		got := ""
		for _, m := range sent {
			got += m
		}
		if len(got) != len(want) || got[:1+maxResults] != want[:1+maxResults] { // those that wait for room have no order
			t.Errorf("%q, want %q", got, want)
		}
		if writes[0] != 1 || writes[1] != maxResults {
			t.Errorf("writes of %d results", writes)
		}
		if n := account.Held(); n != 0 {
			t.Errorf("%d bytes are held behind the end", n)
		}
		r.answer(result{message: []byte("late")})
		if len(sent) != len(want) {
			t.Error("a result is sent behind the end")
		}
	})
}

// TestResultsFail drops what cannot be sent, and blocks no call.
func TestResultsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fails, failed := make(chan struct{}), 0
		r := newResults(nil, func(...[]byte) error {
			<-fails
			return errors.New("cut")
		}, func() { failed++ })
		var all sync.WaitGroup
		for range 3 * maxResults {
			all.Go(func() { r.answer(result{message: []byte("x"), data: new(dataBuffer)}) })
		}
		synctest.Wait()
		close(fails)
		all.Wait()
		r.end()
		if failed != 1 {
			t.Errorf("told %d times", failed)
		}
	})
}
