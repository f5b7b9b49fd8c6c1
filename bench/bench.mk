# Benchmarks: rivals beside sockmux in the same run, and ratios. docs/PERFORMANCE.md says how to read them.
# BENCHFLAGS: --quick for one round of everything. REPORTS: files to report, the later ones instead of what they have in common with the earlier.
BENCHFLAGS ?=
BENCH_DEPS := bench/node_modules/.package-lock.json

$(BENCH_DEPS): bench/package.json bench/package-lock.json
	cd bench && npm ci --ignore-scripts
	@touch $@

bin/bench-peers: $(wildcard bench/peers/*.go bench/line/*.go bench/hook/*.go) go.mod
	go build -o $@ ./bench/peers

bin/bench-tun: $(wildcard bench/tun/*.go internal/netns/*.go) go.mod
	go build -o $@ ./bench/tun

# The product's server with a door for the benchmark's questions (bench/hook), which bin/sockmux does not have.
bin/bench-sockmux: $(GOFILES) $(wildcard bench/hook/*) server/gateway/assets/dist/manifest.json
	go build -trimpath -ldflags '$(LDFLAGS)' -overlay bench/hook/overlay.json -o $@ ./cmd/sockmux

bin/bench-empty.wasm: bench/empty/main.go go.mod
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o $@ ./bench/empty

# The product's wasm with the names of its functions, for profiles.
bin/bench-named.wasm: $(WASM_SRC) $(LEAN)
	GOOS=js GOARCH=wasm go build -overlay=$(LEAN) -trimpath -o $@ ./wasm

.PHONY: bench-deps
bench-deps: assets e2e-deps $(BENCH_DEPS) bin/bench-peers bin/bench-tun bin/bench-sockmux bin/bench-empty.wasm

.PHONY: bench
bench: bench-browser bench-native bench-report ## run the benchmarks and renew tables and plots of docs/PERFORMANCE.md (an hour)

.PHONY: bench-browser
bench-browser: bench-deps
	CHROMIUM="$$(tools/ensure-chromium)" BENCH_WEBSOCKIFY="$$(bench/ensure-websockify)" node bench/browser/run.mjs $(BENCHFLAGS)

.PHONY: bench-native
bench-native: bench-deps
	export BENCH_POSIX_PROXY="$$(bench/ensure-posix-proxy)" && cd bench/native && go run . $(BENCHFLAGS)

.PHONY: bench-report
bench-report:
	node bench/report/report.mjs $(REPORTS)

# BASE: the commit. FAMILIES: of bench/browser, and of bench/native with native- before the name. ROUNDS, RIVALS as in docs/PERFORMANCE.md.
# BOUND=1.1: fail where a figure is worse than the base's by more than a tenth. BENCHFLAGS: for bench/browser.
.PHONY: bench-compare
bench-compare: bench-deps ## compare with another commit in one run: BASE=main FAMILIES="bulk latency native-bulk" ROUNDS=10 BOUND=1.1
	CHROMIUM="$$(tools/ensure-chromium)" BENCH_WEBSOCKIFY=$(if $(findstring websockify,$(RIVALS)),"$$(bench/ensure-websockify)",) node bench/compare/compare.mjs --base '$(BASE)' --families '$(FAMILIES)' --rounds '$(ROUNDS)' --bound '$(BOUND)' --rivals '$(RIVALS)' -- $(BENCHFLAGS)

.PHONY: bench-profile
bench-profile: bench-deps bin/bench-named.wasm ## where the browser's and the server's time goes during bulk
	CHROMIUM="$$(tools/ensure-chromium)" node bench/browser/profile.mjs $(PROFILEFLAGS)

.PHONY: bench-smoke
bench-smoke: bench-deps ## that the benchmarks work, in seconds
	CHROMIUM="$$(tools/ensure-chromium)" node bench/browser/run.mjs --smoke --out bench/out/smoke.json
	CHROMIUM="$$(tools/ensure-chromium)" node bench/browser/run.mjs --smoke --only open --base . --rivals '' --out bench/out/smoke-base.json
	cd bench/native && go run . -smoke
	node --test bench/browser/*.test.mjs bench/compare/*.test.mjs bench/report/*.test.mjs >/dev/null
	cp docs/PERFORMANCE.md bench/out/smoke.md && node bench/report/report.mjs --page bench/out/smoke.md bench/out/smoke.json bench/out/native-smoke.json >/dev/null
