package link_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockmux/sockmux/shared/link"
	"github.com/sockmux/sockmux/shared/link/linktest"
	"github.com/sockmux/sockmux/shared/wire"
)

// TestWriteLater: the bytes leave behind the acknowledgement that is due, before it with
// others, and at once where none is due.
func TestWriteLater(t *testing.T) {
	later := func(t *testing.T, l *link.Link) {
		t.Helper()
		if n, err := l.WriteLater([]byte("later")); n != 5 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	for name, test := range map[string]func(t *testing.T, l *link.Link, theirs *linktest.Carrier){
		"with the acknowledgement": func(t *testing.T, l *link.Link, theirs *linktest.Carrier) {
			began := time.Now()
			later(t, l)
			if m, ok := message(t, theirs).(wire.Ack); !ok || time.Since(began) != 5*time.Millisecond {
				t.Errorf("after %s: %+v", time.Since(began), m)
			}
			if m, ok := message(t, theirs).(wire.Data); !ok || string(m.Payload) != "later" || time.Since(began) != 5*time.Millisecond {
				t.Errorf("after %s: %+v", time.Since(began), m)
			}
			later(t, l) // nothing is due now
			if m, ok := message(t, theirs).(wire.Data); !ok || string(m.Payload) != "later" || time.Since(began) != 5*time.Millisecond {
				t.Errorf("after %s: %+v", time.Since(began), m)
			}
		},
		"with other bytes": func(t *testing.T, l *link.Link, theirs *linktest.Carrier) {
			began := time.Now()
			later(t, l)
			if _, err := l.Write([]byte(" now")); err != nil {
				t.Fatal(err)
			}
			if m, ok := message(t, theirs).(wire.Data); !ok || string(m.Payload) != "later now" || time.Since(began) != 0 {
				t.Errorf("after %s: %+v", time.Since(began), m)
			}
		},
		"before the end": func(t *testing.T, l *link.Link, theirs *linktest.Carrier) {
			later(t, l)
			go func() { _ = l.Shutdown(context.Background(), wire.OK, "") }() // ends with the CLOSE
			if m, ok := message(t, theirs).(wire.Data); !ok || string(m.Payload) != "later" {
				t.Errorf("%+v", m)
			}
			if m, ok := message(t, theirs).(wire.Close); !ok || m.Code != wire.OK {
				t.Errorf("%+v", m)
			}
		},
		"over the next carrier": func(t *testing.T, l *link.Link, theirs *linktest.Carrier) {
			later(t, l)
			theirs.Cut()
			synctest.Wait()
			mine, theirs := linktest.Pipe()
			go func() { _ = l.Run(context.Background(), mine, 0) }() // ends with the link
			if m, ok := message(t, theirs).(wire.Data); !ok || string(m.Payload) != "later" {
				t.Errorf("%+v", m)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := link.New(link.Config{})
				mine, theirs := linktest.Pipe()
				go func() { _ = l.Run(context.Background(), mine, 0) }() // ends with the link
				if err := theirs.Send(t.Context(), wire.Data{Payload: []byte("x")}.Append(nil)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(l, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				test(t, l, theirs)
				if err := l.Close(); err != nil {
					t.Error(err)
				}
				synctest.Wait()
			})
		})
	}
}
