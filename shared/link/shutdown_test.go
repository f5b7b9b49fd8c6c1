package link_test

import (
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestWriteDuringShutdown: a late write neither fails before what came before it is
// delivered nor is delivered itself.
func TestWriteDuringShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t, link.Config{})
		if _, err := p.a.Write([]byte("before")); err != nil {
			t.Fatal(err)
		}
		var shutdown, late sync.WaitGroup
		shutdown.Go(func() {
			if err := p.a.Shutdown(t.Context(), wire.OK, ""); err != nil {
				t.Errorf("shutdown: %v", err)
			}
		})
		synctest.Wait()
		wrote := make(chan error, 1)
		late.Go(func() {
			_, err := p.a.Write([]byte("late"))
			wrote <- err
		})
		synctest.Wait()
		select {
		case err := <-wrote:
			t.Errorf("the late write returned %v before the end", err)
			wrote <- err
		default:
		}
		p.join(t.Context()) // only now there is a carrier
		if got, err := io.ReadAll(p.b); err != nil || string(got) != "before" {
			t.Errorf("%q arrived, %v", got, err)
		}
		shutdown.Wait()
		late.Wait()
		if err := <-wrote; !errors.Is(err, wire.NewError(wire.OK, "")) {
			t.Errorf("the late write: %v", err)
		}
		p.runs.Wait()
	})
}
