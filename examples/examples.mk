# The examples, which are a Go module of their own, so that what they import is no dependency of package sockmux.

# The Go programs of the examples' pages.
EXAMPLE_PAGES := ssh-terminal https-page
EXAMPLE_GO    := ./internal/page $(EXAMPLE_PAGES:%=./%)
EXAMPLE_WASM  := $(EXAMPLE_PAGES:%=examples/%/main.wasm)

.PHONY: examples
examples: $(EXAMPLE_WASM) $(JS_BUILD)/wasm_exec.js $(E2E_DEPS) ## build the Go programs of the examples' pages

$(EXAMPLE_WASM): $(GOFILES) $(JS_BUILD)/goversion
	cd examples && GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o $(@:examples/%=%) ./$(patsubst examples/%/main.wasm,%,$@)

# With the servers that are there, or that root can install.
.PHONY: test-examples
test-examples:
	if tools/ensure-services; then export SOCKMUX_REQUIRE_SERVICES=1; fi; cd examples && go test $(RACE) -timeout 10m ./...
