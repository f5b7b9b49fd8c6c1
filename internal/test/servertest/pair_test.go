package servertest_test

import (
	"io"
	"testing"

	"github.com/sockmux/sockmux/internal/test/servertest"
)

func TestPair(t *testing.T) {
	near, far := servertest.Pair(t)
	if _, err := near.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := near.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(far); err != nil || string(got) != "x" {
		t.Errorf("%q came, %v", got, err)
	}
}
