// Package plain tests the clients of /v1/yamux (docs/PROTOCOL.md, section 9) against the
// assembled server: with hashicorp/yamux, and with frames that it never sends.
package plain
