# The examples, which are a Go module of their own, so that what they import is no dependency of package sockmux.

# With the servers that are there, or that root can install.
.PHONY: test-examples
test-examples:
	if tools/ensure-services; then export SOCKMUX_REQUIRE_SERVICES=1; fi; cd examples && go test $(RACE) -timeout 10m ./...
