# The fault tests at their full size (docs/RELIABILITY.md): some minutes. `make test-go` runs them small.
.PHONY: soak
soak: ## the fault tests at their full size: 1 GiB over 200 cut connections, and more
	SOCKMUX_SOAK=1 go test -count=1 -timeout 30m -v ./server/fault
