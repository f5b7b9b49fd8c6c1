# What is needed to run sockmux somewhere: archives for each system, an image, and that it runs there.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: dist
dist: assets ## archives for linux, darwin and windows (amd64, arm64) with SHA256SUMS, in dist/
	deploy/dist '$(VERSION)' '$(LDFLAGS)' $(PLATFORMS)

# IMAGE names the image, BUILDER is any program that takes docker's arguments, RUNTIME is what the image stands on (see Dockerfile).
IMAGE   ?= sockmux:$(VERSION)
BUILDER ?= docker
.PHONY: image
image: ## build the container image (docker, or make image BUILDER=podman)
	$(BUILDER) build --build-arg VERSION='$(VERSION)' --build-arg REVISION="$$(git rev-parse HEAD)" $(if $(RUNTIME),--build-arg RUNTIME='$(RUNTIME)') -t '$(IMAGE)' .

.PHONY: image-check
image-check: ## run the Dockerfile's steps with buildah and stand-ins for base images, then the server in the result (root, minutes)
	deploy/image-check

# The examples with real proxies. make test runs them with those that are there, or that root can install; make proxies wants all.
.PHONY: test-proxies
test-proxies: assets
	if tools/ensure-proxies; then export SOCKMUX_REQUIRE_PROXIES=1; fi; go test -count=1 ./deploy/proxies

.PHONY: proxies
proxies: assets ## run deploy/examples with nginx, HAProxy and Caddy (root installs Debian's), none of them skipped
	tools/ensure-proxies
	SOCKMUX_REQUIRE_PROXIES=1 go test -count=1 -v ./deploy/proxies
