# The fault tests, also in Chromium, and the hostile input at their full size (docs/RELIABILITY.md, docs/SECURITY.md): some minutes. `make test-go` runs them small.
.PHONY: soak
soak: build e2e-deps ## faults and hostile input at full size: 1 GiB over 200 cut connections, 100 000 opens, and more
	SOCKMUX_SOAK=1 go test -count=1 -timeout 30m -v ./internal/test/fault
	cd e2e && SOCKMUX_SOAK=1 CHROMIUM="$$(../tools/ensure-chromium)" node --test --test-concurrency=1 cuts.test.js
	SOCKMUX_SOAK=1 go test -count=1 -timeout 30m -v ./internal/test/hostile
