// Emscripten's fake DNS gives the names it is asked for addresses of its own, 172.29.a.b,
// and connect() turns them back into names. From the 256th name on b is no byte, the
// address in memory wraps, and connect() goes to another name's host.

import { judgeName } from './names.js';

/**
 * Addresses are 172.29.0.1 to 172.31.255.255, the rest of the private block that
 * 172.29.0.0/16 is part of.
 */
const FIRST = 29;
const LAST = 31;
const NONE = '0.0.0.0';

/**
 * Gives each name an address that has four bytes, and localhost its own. Returns what
 * undoes it; where the addresses are right already, nothing changes.
 * @param {any} DNS
 * @returns {() => void}
 */
export function patchDNS(DNS) {
	const map = DNS?.address_map;
	if (typeof DNS?.lookup_name !== 'function' || !map?.names || !map.addrs || typeof map.id !== 'number') return () => undefined;
	const before = DNS.lookup_name;
	const patched = (/** @type {string} */ name) => {
		const judged = judgeName(name);
		if (judged.kind === 'address') return judged.address;
		// SOCKFS takes any four numbers for an address. No host is better than another host.
		if (judged.kind === 'none' && /^[\d.]+$/.test(name)) return NONE;
		const { id } = map;
		const faulty = `172.29.${id & 255}.${id & 0xff00}`;
		const owner = map.names[faulty];
		const addr = before.call(DNS, name);
		if (map.id === id || addr !== faulty || id <= 255) return addr;
		if (owner === undefined) delete map.names[faulty];
		else map.names[faulty] = owner;
		delete map.addrs[name];
		const block = FIRST + (id >> 16);
		// More names than addresses: no host is better than another name's.
		if (block > LAST) return NONE;
		const right = `172.${block}.${id & 255}.${(id >> 8) & 255}`;
		map.names[right] = name;
		map.addrs[name] = right;
		return right;
	};
	DNS.lookup_name = patched;
	return () => {
		if (DNS.lookup_name === patched) DNS.lookup_name = before;
	};
}
