// Package product starts the assembled server, bin/sockmux, as a process for tests.
//
//	s := product.Start(t, "--allow", "127.0.0.1")
//	c := s.Dial(t)
//	stream := product.Open(t, c, product.Echo(t))
//
// The command is built once per state of the source, with the race detector where the test
// has it. SOCKMUX_BINARY names a binary to use instead, such as that of an older commit.
//
// Each function that takes a testing.TB fails the test itself and must be called by the
// test's goroutine. Only tests import the package.
package product
