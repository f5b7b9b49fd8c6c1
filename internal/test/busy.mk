# The suites whose promises must hold on a loaded machine, beside two loops that take a processor each. For use before a release.
BUSYSUITES := ./internal/test/... ./internal/test/fault ./shared/client ./shared/link ./shared/mux ./server/session ./server/relay

.PHONY: test-busy
test-busy: build e2e-deps ## the suites of faults, ends and limits, and the cuts in Chromium, beside two busy loops
	tools/busy go test -count=1 -shuffle=on -timeout 30m -p 1 $(BUSYSUITES)
	cd e2e && CHROMIUM="$$(../tools/ensure-chromium)" ../tools/busy node --test --test-concurrency=1 cuts.test.js
