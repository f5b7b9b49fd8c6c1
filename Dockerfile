# The server in an image without shell and packages, run by a user that is not root.
#
# build:  make image                      (or: docker build -t sockmux .)
# run:    docker run --rm --read-only --stop-timeout 45 -p 8088:8088 sockmux --listen 0.0.0.0:8088 --insecure-no-auth
#
# No line names a registry's host: images come from wherever the builder is set up to look. The runtime is built here from nothing, with what the distroless images for static
# programs hold: certificates, a user, a place for state. To put it on such an image (or one of your own), name it with its host:
#   make image RUNTIME=HOST/distroless/static:nonroot
ARG GOLANG=golang:1.26
ARG NODE=node:22
ARG RUNTIME=scratch

# Runs the Go program of the page at build time (js/snapshot).
FROM ${NODE} AS node

FROM ${GOLANG} AS build
COPY --from=node /usr/local/bin/node /usr/local/bin/node
WORKDIR /src
ENV GOWORK=off
COPY go.mod go.sum ./
COPY tools/go.mod tools/go.sum tools/
RUN go mod download && go mod download -modfile=tools/go.mod
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 make build VERSION="${VERSION}"
RUN mkdir -p /root-fs/etc/ssl/certs /root-fs/usr/local/bin /root-fs/var/lib/sockmux /root-fs/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /root-fs/etc/ssl/certs/ \
 && echo 'nonroot:x:65532:65532:nonroot:/var/lib/sockmux:/sbin/nologin' > /root-fs/etc/passwd \
 && echo 'nonroot:x:65532:' > /root-fs/etc/group \
 && cp bin/sockmux /root-fs/usr/local/bin/ \
 && mkdir -p /root-fs/usr/share/doc/sockmux && cp LICENSE /root-fs/usr/share/doc/sockmux/ \
 && go run ./deploy/licenses bin/sockmux /root-fs/usr/share/doc/sockmux/LICENSES \
 && chown -R 65532:65532 /root-fs/var/lib/sockmux && chmod 1777 /root-fs/tmp

FROM ${RUNTIME}
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sockmux" \
      org.opencontainers.image.description="TCP sockets for programs in the browser, over one WebSocket" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /root-fs/ /
# Where --acme keeps keys and certificates: put a volume here.
ENV STATE_DIRECTORY=/var/lib/sockmux
# A number, so that Kubernetes' runAsNonRoot sees that it is not root's; distroless has the same.
USER 65532:65532
EXPOSE 8088
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/sockmux"]
