// Package netns makes networks of their own (network namespaces, see network_namespaces(7)) and
// TUN devices in them, for tests and benchmarks. A caller needs CAP_NET_ADMIN.
//
//	network, err := netns.New()
//	...
//	defer network.Close()
//	err = network.Do(func() error {
//		device, err = netns.Open("line0", netip.MustParsePrefix("10.9.0.2/24"), 0)
//		return err
//	})
package netns
