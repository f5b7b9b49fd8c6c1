# End-to-end tests in Chromium with webR from npm, and the screenshots of the playground.
E2E_DEPS := e2e/node_modules/.package-lock.json
# Bundlers, for the tests of the npm package.
PACKAGE_DEPS := e2e/package/node_modules/.package-lock.json

$(E2E_DEPS): e2e/package.json e2e/package-lock.json
	cd e2e && npm ci --ignore-scripts
	@touch $@

$(PACKAGE_DEPS): e2e/package/package.json e2e/package/package-lock.json
	cd e2e/package && npm ci --ignore-scripts
	@touch $@

# The example for Node has its own, as its README says.
YAMUX_DEPS := examples/yamux-node/node_modules/.package-lock.json

$(YAMUX_DEPS): examples/yamux-node/package.json examples/yamux-node/package-lock.json
	cd examples/yamux-node && npm ci --ignore-scripts
	@touch $@

.PHONY: e2e-deps
e2e-deps: $(E2E_DEPS) $(PACKAGE_DEPS) $(YAMUX_DEPS) ## fetch what the end-to-end tests need (npm: webr, playwright-core, bundlers, xterm.js)

.PHONY: webr
webr: $(E2E_DEPS)

.PHONY: test-e2e
test-e2e: build npm e2e-deps examples ## end-to-end tests in Chromium with webR
	if tools/ensure-services; then export SOCKMUX_REQUIRE_SERVICES=1; fi; cd e2e && CHROMIUM="$$(../tools/ensure-chromium)" node --test --test-concurrency=1 *.test.js

# Files with programs of Emscripten. test-e2e runs them too; the gate is a part of test-emscripten alone.
EMSCRIPTEN_TESTS := $(notdir $(wildcard e2e/emscripten*.test.js)) pthreads.test.js blocking.test.js udp.test.js udp-cuts.test.js enet.test.js docs-c.test.js listen.test.js listening.test.js websockets.test.js $(notdir $(wildcard e2e/php*.test.js)) $(notdir $(wildcard e2e/posix*.test.js))

.PHONY: test-emscripten
test-emscripten: build npm e2e-deps examples ## C programs in each build: natively, with plain Emscripten, with sockmux
	cd e2e && export CHROMIUM="$$(../tools/ensure-chromium)" && node --test --test-concurrency=1 $(EMSCRIPTEN_TESTS) && node --test emscripten-gate.js

.PHONY: record-emscripten
record-emscripten: build e2e-deps ## run the C programs, also natively and plain, and keep the results (native.json, matrix.json, docs/EMSCRIPTEN.md)
	cd e2e && export CHROMIUM="$$(../tools/ensure-chromium)" && node emscripten-matrix.js --native && node emscripten-matrix.js --record --tries 3 && node emscripten-matrix.js --docs

.PHONY: screenshots
screenshots: build e2e-deps examples ## take the pictures of the playground and the examples (docs/images)
	cd e2e && CHROMIUM="$$(../tools/ensure-chromium)" node screenshots.js ../docs/images
