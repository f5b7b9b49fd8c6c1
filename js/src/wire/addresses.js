// What a resolve stream carries: the addresses of a name, or the names of an address
// (docs/PROTOCOL.md, section 5.2).

import { FORM_IPV4, FORM_IPV6, FORM_NAME, MAX_ADDRESSES, MAX_NAMES, MAX_NAME_BYTES } from './generated/limit.js';

/**
 * What a name resolves to.
 * @typedef {object} Names
 * @property {string[]} addresses  those that the server's policy lets pages reach, in the order in which to try them
 * @property {string[]} names  of the address, if the name was one below in-addr.arpa or ip6.arpa
 * @property {number} ttl  seconds for which the answer is good
 */

/** Bytes of the answer's length. */
const HEAD = 2;

/**
 * Reads an answer with its length.
 * @param {Uint8Array} bytes
 * @returns {Names | null}  null: it is malformed
 */
export function decodeAddresses(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	let at = HEAD + 4;
	if (bytes.length < at || view.getUint16(0) !== bytes.length - HEAD) return null;
	const addresses = [];
	const names = [];
	while (at < bytes.length) {
		const form = bytes[at++];
		if (form === FORM_NAME) {
			const length = bytes[at++];
			const name = bytes.subarray(at, at += length);
			if (at > bytes.length || !(length > 0 && length <= MAX_NAME_BYTES)) return null;
			names.push(new TextDecoder().decode(name));
			continue;
		}
		const address = bytes.subarray(at, at += form === FORM_IPV4 ? 4 : 16);
		if (at > bytes.length || (form !== FORM_IPV4 && form !== FORM_IPV6)) return null;
		addresses.push(form === FORM_IPV4 ? address.join('.') : ipv6(address));
	}
	return addresses.length > MAX_ADDRESSES || names.length > MAX_NAMES ? null : { addresses, names, ttl: view.getUint32(HEAD) };
}

/** An address as text in the form of RFC 5952. @param {Uint8Array} bytes */
function ipv6(bytes) {
	const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16));
	return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
