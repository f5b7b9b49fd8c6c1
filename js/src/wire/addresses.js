// What a resolve stream carries: the addresses of a name (docs/PROTOCOL.md, section 5.2).

import { FORM_IPV4, FORM_IPV6, MAX_ADDRESSES } from './generated/limit.js';

/**
 * What a name resolves to.
 * @typedef {object} Names
 * @property {string[]} addresses  those that the server's policy lets pages reach, in the order in which to try them
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
	while (at < bytes.length) {
		const form = bytes[at++];
		const address = bytes.subarray(at, at += form === FORM_IPV4 ? 4 : 16);
		if (at > bytes.length || (form !== FORM_IPV4 && form !== FORM_IPV6)) return null;
		addresses.push(form === FORM_IPV4 ? address.join('.') : ipv6(address));
	}
	return addresses.length > MAX_ADDRESSES ? null : { addresses, ttl: view.getUint32(HEAD) };
}

/** An address as text in the form of RFC 5952. @param {Uint8Array} bytes */
function ipv6(bytes) {
	const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i] << 8 | bytes[2 * i + 1]).toString(16));
	return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
}
