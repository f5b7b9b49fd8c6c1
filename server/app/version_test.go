package app

import "testing"

func TestBuildVersion(t *testing.T) {
	was := version
	defer func() { version = was }()
	version = "v1.2.3"
	if got := Version(); got != "v1.2.3" {
		t.Errorf("got %q, want what the build set", got)
	}
	if got := agent(); got != "sockmux/v1.2.3" {
		t.Errorf("agent %q", got)
	}
	version = unset
	if Version() == "" {
		t.Error("no version without one set")
	}
	for len(version) < 200 {
		version += "x"
	}
	if got := agent(); len(got) != 128 {
		t.Errorf("agent of %d bytes, the protocol allows 128", len(got))
	}
}
