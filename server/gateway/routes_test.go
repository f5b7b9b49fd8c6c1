package gateway

import "testing"

// No path that has to be cleaned is a route, and none is redirected to where a stranger wants.
func TestUncleanPaths(t *testing.T) {
	g := newGateway(t, nil)
	for _, path := range []string{"//sockmux.js", "//evil.test/..", "/./healthz", "/v1//check", "/webr/../healthz"} {
		wantAnswer(t, get(g, path), 404, "not found: the playground is at /\n")
	}
}

func TestIsClean(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/a": true, "/a/": true, "/a/b/": true,
		"": false, "*": false, "a": false, "//": false, "/a//": false, "/a/./b": false, "/..": false, "/a/..": false,
	} {
		if got := isClean(path); got != want {
			t.Errorf("%s: %t, want %t", path, got, want)
		}
	}
}
