# sockmux: `make` lists the targets. Needed: Go, Node, make. Everything else is fetched.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# go.work is for people who run the examples; what is built has the versions of one go.mod.
export GOWORK := off

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOTOOL  := go tool -modfile=tools/go.mod
LDFLAGS := -s -w -X github.com/sockmux/sockmux/server/app.version=$(VERSION)
# The race detector needs a C compiler; without one the same tests run without it.
RACE    := $(if $(shell command -v cc gcc 2>/dev/null),-race,)
# Without git (an image, an archive of the source) every file there is.
GOFILES := $(shell git ls-files -co --exclude-standard '*.go' 'go.mod' 'go.sum' 2>/dev/null || find . -name node_modules -prune -o \( -name '*.go' -o -name go.mod -o -name go.sum \) -print)

include e2e/e2e.mk
include js/js.mk
include bench/bench.mk
include internal/test/fault/soak.mk
include internal/test/busy.mk
include deploy/deploy.mk
include examples/examples.mk
include r/r.mk

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-14s %s\n", $$1, $$2}'

.PHONY: build
build: assets server ## build script, wasm and bin/sockmux

.PHONY: server
server: bin/sockmux ## build bin/sockmux (with the assets that are there)

bin/sockmux: $(GOFILES) $(wildcard server/gateway/assets/dist/manifest.json)
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $@ ./cmd/sockmux

# LISTEN is where `make run` listens; RUNFLAGS adds flags of the server.
LISTEN ?= 127.0.0.1:8088
.PHONY: run
run: build webr ## build all, start the server with the playground on http://127.0.0.1:8088/
	bin/sockmux --listen $(LISTEN) --demo --webr e2e/node_modules/webr/dist $(RUNFLAGS)

# The heavy Go tests mostly wait, and so does a browser: they run beside each other.
.PHONY: test
test: test-go-light test-wasm test-js test-r test-examples test-proxies build npm e2e-deps examples ## run every test, and the benchmarks briefly (fetches Go modules, npm packages and, as root, Chromium, proxies and servers where there are none)
	$(MAKE) --jobs=2 --output-sync=target test-go-heavy test-e2e
	$(MAKE) bench-smoke

# Packages whose tests fill the machine's sockets and processors: one at a time, or others would fail by their doing.
HEAVY := /internal/test/[a-z]+$$

.PHONY: test-go
test-go: test-go-light test-go-heavy ## native Go tests, with the race detector

.PHONY: test-go-light
test-go-light: assets
	go test $(RACE) -shuffle=on -timeout 10m $$(go list ./... | grep -v -E '$(HEAVY)|/deploy/proxies$$')
	cd tools && go test ./...

.PHONY: test-go-heavy
test-go-heavy: assets
	go test $(RACE) -shuffle=on -timeout 15m -p 1 $$(go list ./... | grep -E '$(HEAVY)')
	go test -run '^(TestMemoryOf(Closed|All)Sessions|TestForeignHalfMessagesTakeNoMemory|TestHostileFloods)$$' ./internal/test/strangers ./internal/test/hostile

.PHONY: test-wasm
test-wasm: $(LEAN) js/build/linked.wasm js/build/fixture.wasm js/build/go.js ## Go tests of the packages that run in the browser, as GOOS=js under Node
	tools/test-wasm -overlay=$(LEAN) ./wasm/... ./shared/wire/...
	node --test js/snapshot/*.test.js

.PHONY: lint
lint: lint-go lint-js ## formatting, vet and staticcheck on both GOOS, import rules, eslint, tsc

# Built, not run by go tool: that would build it for the GOOS that it is to check.
bin/staticcheck: tools/go.mod
	cd tools && go build -o ../$@ honnef.co/go/tools/cmd/staticcheck

.PHONY: lint-go
lint-go: bin/staticcheck
	@out=$$($(GOTOOL) gofumpt -l $$(git ls-files -co --exclude-standard '*.go')); test -z "$$out" || { echo "not gofumpt-ed:"; echo "$$out"; exit 1; }
	go vet ./...
	GOOS=js GOARCH=wasm go vet . ./wasm/... ./shared/... ./js/...
	bin/staticcheck ./...
	GOOS=js GOARCH=wasm bin/staticcheck . ./wasm/... ./shared/... ./js/...
	cd bench/native && go vet ./...
	cd examples && go vet ./... && ../bin/staticcheck ./...
	cd examples && export GOOS=js GOARCH=wasm && go vet $(EXAMPLE_GO) && ../bin/staticcheck $(EXAMPLE_GO)
	tools/check-imports

.PHONY: fmt
fmt: ## format the Go code
	$(GOTOOL) gofumpt -w $$(git ls-files -co --exclude-standard '*.go')

# FUZZTIME is spent on each fuzz target.
FUZZTIME ?= 30s
.PHONY: fuzz
fuzz: ## fuzz every decoder for FUZZTIME each
	tools/fuzz $(FUZZTIME)

.PHONY: clean
clean: ## remove what was built
	rm -rf bin dist js/build e2e/out
	find server/gateway/assets/dist -mindepth 1 ! -name placeholder -delete

.PHONY: fixtures
fixtures: ## rebuild the committed Emscripten programs (needs Debian's emcc 3.1.6, and EMCC6 of tools/emscripten-6)
	$(MAKE) -C e2e/fixtures/emscripten
	$(MAKE) -C e2e/fixtures/posix
