// Package strangers has tests only: what programs without credentials, and clients that take
// all they can, do to the others of the assembled server.
package strangers
