// Package test has tests only. They run each example as a process, through the assembled server,
// against real targets: OpenSSH's server, PostgreSQL, and servers of Go's own packages.
//
// A target that is not installed is skipped. With SOCKMUX_REQUIRE_SERVICES=1 that is a failure;
// tools/ensure-services installs them.
package test
