// Package namespace runs a test in network and mount namespaces of its own, where it may give
// the machine addresses and name servers. Nothing leaves them: only loopback is up.
//
//	func TestOwnAddress(t *testing.T) {
//		namespace.Run(t, func(t *testing.T) {
//			namespace.AddAddress(t, netip.MustParseAddr("93.184.216.34"))
//			...
//		})
//	}
package namespace
