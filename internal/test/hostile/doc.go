// Package hostile has tests only: raw sockets that send the real server, in a process of
// its own, what no honest client sends. A session beside them checks every byte that it
// moves, and the process is measured before, during and after.
//
// docs/SECURITY.md has the table that the test prints with -v. SOCKMUX_SOAK=1 runs it at full size.
package hostile
