// Package operate has tests only: what an operator does with the assembled server.
package operate
