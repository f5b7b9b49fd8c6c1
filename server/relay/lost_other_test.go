//go:build !linux

package relay

// dropsAreTold reports whether the system tells how many datagrams it has dropped.
const dropsAreTold = false
