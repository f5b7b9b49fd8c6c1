// Package proxies has tests only: nginx, HAProxy and Caddy, each with the file of
// deploy/examples as it is committed, in front of the real server in a process of its
// own, started with the flags that the file's first lines name. Only addresses, ports,
// the paths of certificates and times are replaced, and each replacement must hit.
//
// A proxy that is not installed is skipped, with SOCKMUX_REQUIRE_PROXIES=1 (make proxies)
// it is a failure.
package proxies
