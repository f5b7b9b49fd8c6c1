# The fault tests and the hostile input at their full size (docs/RELIABILITY.md, docs/SECURITY.md): some minutes. `make test-go` runs them small.
.PHONY: soak
soak: ## faults and hostile input at full size: 1 GiB over 200 cut connections, 100 000 opens, and more
	SOCKMUX_SOAK=1 go test -count=1 -timeout 30m -v ./server/fault
	SOCKMUX_SOAK=1 go test -count=1 -timeout 30m -v ./server/hostile
