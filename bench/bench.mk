# Benchmarks: each runs the rival beside sockmux in the same run and prints ratios. docs/PERFORMANCE.md says how to read them.
BENCHFLAGS ?=

bin/bench-peers: $(wildcard bench/peers/*.go)
	go build -o $@ ./bench/peers

.PHONY: bench
bench: bench-browser bench-native ## run the benchmarks (some minutes)

.PHONY: bench-browser
bench-browser: build e2e-deps bin/bench-peers
	CHROMIUM="$$(tools/ensure-chromium)" node bench/browser/run.mjs $(BENCHFLAGS)

.PHONY: bench-native
bench-native:
	go test -run '^$$' -bench . -benchmem ./shared/... ./server/...
