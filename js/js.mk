# The script, its wasm and the playground, as files for server/gateway/assets.
JS_BUILD  := js/build
JS_STAGE  := $(JS_BUILD)/dist
JS_SRC    := $(shell find js/src -name '*.js')
WASM_SRC  := $(shell find wasm shared -name '*.go' ! -name '*_test.go' ! -path 'wasm/https/*') go.mod go.sum
HTTPS_SRC := $(shell find wasm shared -name '*.go' ! -name '*_test.go') go.mod go.sum
# Colors, theme and formats are also the status page's.
PLAYGROUND := $(wildcard js/playground/*) $(filter-out %.go,$(wildcard server/gateway/theme/*))
ESBUILD   := $(GOTOOL) esbuild --log-level=warning --bundle --minify --target=es2022 --charset=utf8
JS_DEPS   := js/node_modules/.package-lock.json

.PHONY: assets
assets: server/gateway/assets/dist/manifest.json ## build script, wasm and playground into server/gateway/assets/dist

.PHONY: wasm
wasm: $(JS_BUILD)/sockmux.wasm ## build js/build/sockmux.wasm

.PHONY: js
js: $(JS_STAGE)/sockmux.js $(JS_STAGE)/sockmux.mjs ## build the script as classic script and as module

.PHONY: test-js
test-js: ## JavaScript unit tests (node --test, nothing to fetch)
	node --test $(shell find js/test r/tools -name '*.test.js')

.PHONY: lint-js
lint-js: $(JS_DEPS) $(E2E_DEPS) ## eslint and tsc
	cd js && npm run --silent lint

$(JS_DEPS): js/package.json js/package-lock.json
	cd js && npm ci --ignore-scripts
	@touch $@

$(JS_BUILD)/leango: $(wildcard tools/leango/*.go) tools/go.mod
	cd tools && go build -o ../$@ ./leango

# Changes when the Go release does, and only then: what is built from Go's own files must not outlive them.
$(JS_BUILD)/goversion: FORCE
	@mkdir -p $(@D)
	@go env GOVERSION | cmp -s - $@ || go env GOVERSION > $@

# Go's own packages without what a page never runs. Another Go release gives a program that is larger and works.
LEAN := $(JS_BUILD)/lean/overlay.json
$(LEAN): $(JS_BUILD)/leango $(JS_BUILD)/goversion
	rm -rf $(@D) && mkdir -p $(@D)
	$(JS_BUILD)/leango -goroot "$$(go env GOROOT)" -out $(@D) || echo '{}' > $@

$(JS_BUILD)/linked.wasm: $(WASM_SRC) $(LEAN)
	GOOS=js GOARCH=wasm go build -overlay=$(LEAN) -trimpath -ldflags='-s -w' -o $@ ./wasm

# The program as it is when all of its goroutines wait for the first time, so that no page runs what is before. A Go release that
# leango does not know, or a program that asks its surroundings for more, gives one that starts later and works.
$(JS_BUILD)/initialized.wasm: $(JS_BUILD)/linked.wasm $(JS_BUILD)/go.js js/src/engine/restore.js $(wildcard js/snapshot/*.js)
	node js/snapshot/main.js $< $@ || cp $< $@

# What the tests of snapshots run.
$(JS_BUILD)/fixture.wasm: js/snapshot/fixture/main_js.go $(LEAN)
	GOOS=js GOARCH=wasm go build -overlay=$(LEAN) -trimpath -ldflags='-s -w' -o $@ ./js/snapshot/fixture

$(JS_BUILD)/trimwasm: $(wildcard tools/trimwasm/*.go) tools/go.mod
	cd tools && go build -o ../$@ ./trimwasm

# A quarter fewer bytes on the wire. A Go release with other tables than trimwasm knows gives a program that is larger and works.
$(JS_BUILD)/sockmux.wasm: $(JS_BUILD)/initialized.wasm $(JS_BUILD)/trimwasm
	$(JS_BUILD)/trimwasm -in $< -out $@ || cp $< $@

# HTTP and TLS are a program of their own, loaded when a page needs them.
LEAN_HTTPS := $(JS_BUILD)/lean-https/overlay.json
$(LEAN_HTTPS): $(JS_BUILD)/leango $(JS_BUILD)/goversion
	rm -rf $(@D) && mkdir -p $(@D)
	$(JS_BUILD)/leango -https -goroot "$$(go env GOROOT)" -out $(@D) || echo '{}' > $@

$(JS_BUILD)/https.wasm: $(HTTPS_SRC) $(LEAN_HTTPS)
	GOOS=js GOARCH=wasm go build -overlay=$(LEAN_HTTPS) -trimpath -ldflags='-s -w' -o $@ ./wasm/https

$(JS_BUILD)/sockmux-https.wasm: $(JS_BUILD)/https.wasm $(JS_BUILD)/trimwasm
	$(JS_BUILD)/trimwasm -in $< -out $@ || cp $< $@

# The runtime's half in JavaScript must be of the same release as the compiler.
$(JS_BUILD)/wasm_exec.js: $(JS_BUILD)/goversion
	{ echo '// @ts-nocheck'; cat "$$(go env GOROOT)/lib/wasm/wasm_exec.js"; } > $@.new && mv $@.new $@

# globalThis and fs become goScope's, so that the file leaves nothing behind in the page (js/src/engine/goscope.js).
$(JS_BUILD)/go.js: $(JS_BUILD)/wasm_exec.js js/src/engine/go.js js/src/engine/goscope.js
	$(ESBUILD) js/src/engine/go.js --format=esm --define:globalThis=goScope --define:fs=goScope.fs \
		--inject:js/src/engine/goscope.js --banner:js='// @ts-nocheck' --outfile=$@

# The R packages that come into webR with the script.
R_SRC := $(wildcard r/tools/*.js r/*/DESCRIPTION r/*/NAMESPACE r/*/LICENSE r/*/R/*.R)
$(JS_BUILD)/rlibrary.js: $(R_SRC)
	@mkdir -p $(@D)
	node r/tools/main.js $@

# Parts of the script that are files of their own, each a classic script.
JS_PARTS := engine tunnel-worker remote websockets sockfs direct http https-worker pthread blocking blocking-worker webr-worker
JS_PLAIN_PARTS := $(filter-out http,$(JS_PARTS))

$(JS_STAGE)/sockmux-engine.js: JS_ENTRY := js/src/entry/part-engine.js
$(JS_STAGE)/sockmux-tunnel-worker.js: JS_ENTRY := js/src/entry/part-tunnel.js
$(JS_STAGE)/sockmux-remote.js: JS_ENTRY := js/src/entry/part-remote.js
$(JS_STAGE)/sockmux-blocking.js: JS_ENTRY := js/src/entry/part-blocking.js
$(JS_STAGE)/sockmux-blocking-worker.js: JS_ENTRY := js/src/entry/part-blocking-worker.js
$(JS_STAGE)/sockmux-websockets.js: JS_ENTRY := js/src/entry/part-websockets.js
$(JS_STAGE)/sockmux-sockfs.js: JS_ENTRY := js/src/entry/part-sockfs.js
$(JS_STAGE)/sockmux-direct.js: JS_ENTRY := js/src/entry/part-direct.js
$(JS_STAGE)/sockmux-https-worker.js: JS_ENTRY := js/src/entry/part-https-worker.js
$(JS_STAGE)/sockmux-pthread.js: JS_ENTRY := js/src/entry/part-pthread.js
$(JS_STAGE)/sockmux-webr-worker.js: JS_ENTRY := js/src/entry/part-webr-worker.js
$(JS_STAGE)/sockmux-webr-worker.js: $(JS_BUILD)/rlibrary.js
$(JS_PLAIN_PARTS:%=$(JS_STAGE)/sockmux-%.js): $(JS_SRC) $(JS_BUILD)/go.js
	$(ESBUILD) $(JS_ENTRY) --format=iife --outfile=$@

# This part holds the names of its own files, so that no other page pays for them.
$(JS_BUILD)/defines-http: $(JS_BUILD)/sockmux-https.wasm $(JS_STAGE)/sockmux-https-worker.js $(JS_BUILD)/pack
	set -- $$($(JS_BUILD)/pack -name $(JS_BUILD)/sockmux-https.wasm $(JS_STAGE)/sockmux-https-worker.js) && \
	printf -- '--define:SOCKMUX_HTTPS_FILES={"https":{"name":"%s","integrity":"%s"},"httpsWorker":{"name":"%s","integrity":"%s"}}\n' \
		$${1#assets/} $$2 $${3#assets/} $$4 > $@

$(JS_STAGE)/sockmux-http.js: $(JS_SRC) $(JS_BUILD)/defines-http
	$(ESBUILD) js/src/entry/part-http.js --format=iife $$(cat $(JS_BUILD)/defines-http) --outfile=$@

$(JS_BUILD)/pack: $(wildcard tools/pack/*.go) tools/go.mod
	cd tools && go build -o ../$@ ./pack

# Changes when the version does, and only then.
$(JS_BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@
.PHONY: FORCE
FORCE:

# The script holds the hashed names of the other files and what they must be. Two have no such string: workers load them by
# importScripts() or import, which check none.
JS_FILES := wasm:$(JS_BUILD)/sockmux.wasm engine:$(JS_STAGE)/sockmux-engine.js tunnel:$(JS_STAGE)/sockmux-tunnel-worker.js \
	remote:$(JS_STAGE)/sockmux-remote.js websockets:$(JS_STAGE)/sockmux-websockets.js sockfs:$(JS_STAGE)/sockmux-sockfs.js direct:$(JS_STAGE)/sockmux-direct.js http:$(JS_STAGE)/sockmux-http.js pthread:$(JS_STAGE)/sockmux-pthread.js \
	blocking:$(JS_STAGE)/sockmux-blocking.js webrWorker:$(JS_STAGE)/sockmux-webr-worker.js blockingWorker:$(JS_STAGE)/sockmux-blocking-worker.js

$(JS_BUILD)/defines: $(JS_BUILD)/sockmux.wasm $(JS_PARTS:%=$(JS_STAGE)/sockmux-%.js) $(JS_BUILD)/version $(JS_BUILD)/pack
	printf -- '--define:SOCKMUX_VERSION="%s" --define:SOCKMUX_FILES={' "$$(cat $(JS_BUILD)/version)" > $@.new
	comma=; for file in $(JS_FILES); do \
		set -- $${file%%:*} $$($(JS_BUILD)/pack -name $${file#*:}) || exit 1; \
		case $$1 in pthread|blockingWorker) set -- $$1 $$2;; *) set -- $$1 $$2 ",\"integrity\":\"$$3\"";; esac; \
		printf '%s"%s":{"name":"%s"%s}' "$$comma" $$1 $${2#assets/} "$$3" >> $@.new; comma=,; \
	done
	echo '}' >> $@.new && mv $@.new $@

$(JS_STAGE)/sockmux.js: $(JS_SRC) $(JS_BUILD)/defines
	$(ESBUILD) js/src/entry/script.js --format=iife $$(cat $(JS_BUILD)/defines) --outfile=$@

$(JS_STAGE)/sockmux.mjs: $(JS_SRC) $(JS_BUILD)/defines
	$(ESBUILD) js/src/entry/module.js --format=esm $$(cat $(JS_BUILD)/defines) --outfile=$@

# The repository for webr::install(), which the server offers at r/.
$(JS_STAGE)/r/PACKAGES.txt: $(R_SRC)
	rm -rf $(@D)
	node r/tools/repository.js $(@D)

server/gateway/assets/dist/manifest.json: $(JS_STAGE)/r/PACKAGES.txt $(JS_STAGE)/sockmux.js $(JS_STAGE)/sockmux.mjs $(JS_BUILD)/sockmux.wasm $(JS_BUILD)/sockmux-https.wasm js/types/sockmux.d.ts $(PLAYGROUND) $(JS_BUILD)/pack
	rm -rf $(JS_STAGE)/playground && mkdir -p $(JS_STAGE)/playground
	cp $(PLAYGROUND) $(JS_STAGE)/playground/
	cp $(JS_BUILD)/sockmux.wasm $(JS_BUILD)/sockmux-https.wasm js/types/sockmux.d.ts $(JS_STAGE)/
	$(JS_BUILD)/pack -in $(JS_STAGE) -out $(@D) -version '$(VERSION)'
	@touch $@

# js/dist is what the npm package ships: the modules for bundlers and Node, the classic script, and the files that both load.
# Their names hold no hash: bundlers give them one, and the version is the package's.
.PHONY: npm
npm: js/dist/sockmux.js ## put the built files into js/dist, as the npm package has them

NPM_ASSETS  := $(JS_BUILD)/sockmux.wasm $(JS_BUILD)/sockmux-https.wasm $(JS_PARTS:%=$(JS_STAGE)/sockmux-%.js)

js/dist/sockmux.js: $(JS_SRC) $(JS_BUILD)/go.js $(JS_BUILD)/version $(NPM_ASSETS) LICENSE
	rm -rf js/dist && mkdir -p js/dist/assets
	$(GOTOOL) esbuild --log-level=warning --bundle --splitting --target=es2022 --charset=utf8 --format=esm --external:node:* \
		--define:SOCKMUX_VERSION='"'$$(cat $(JS_BUILD)/version)'"' --out-extension:.js=.mjs --outdir=js/dist \
		index=js/src/entry/npm.js service-worker=js/src/entry/npm-service-worker.js node=js/src/entry/npm-node.js
	cp $(NPM_ASSETS) js/dist/assets/
	cp LICENSE js/
	$(ESBUILD) js/src/entry/script.js --format=iife --define:SOCKMUX_VERSION='"'$$(cat $(JS_BUILD)/version)'"' --outfile=$@
