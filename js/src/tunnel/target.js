// Says which targets may be sent to the server at all. Nothing here decides what may be
// reached (the server's policy does that); it only keeps a string that is no host name
// from ever becoming a request for something else.

import { ending } from '../wire/codes.js';
import * as CODES from '../wire/generated/code.js';
import { FAKE_NETWORK, MAX_NAME_BYTES } from '../wire/generated/limit.js';

/** @typedef {{ host: string, port: number }} Target */

/** @typedef {import('../wire/codes.js').Ending} Ending */

/** How much of a malformed name is repeated in a message: a close reason holds 123 bytes. */
const MAX_QUOTED = 40;

/**
 * Why this target cannot be sent, or null if it can. An IPv6 address stands without brackets.
 * @param {Target} target
 * @param {boolean} [hasPort]  false: the port says nothing
 * @returns {Ending | null}
 */
export function checkTarget({ host, port }, hasPort = true) {
	if (hasPort && (!Number.isInteger(port) || port < 1 || port > 65535)) {
		return ending(CODES.invalid_request, `port ${port} of ${quote(host)} is not in 1 to 65535`);
	}
	if (host.startsWith(FAKE_NETWORK) && /^\d+(\.\d+){3}$/.test(host)) {
		return ending(CODES.fake_address, `${host} was made up by Emscripten's fake DNS, and no name is known for it`);
	}
	const fault = hostFault(host);
	return fault === null ? null : ending(CODES.invalid_request, `${quote(host)} is not a host name: ${fault}`);
}

/**
 * @param {string} host
 * @returns {string | null}
 */
function hostFault(host) {
	if (host === '') return 'it is empty';
	if (isIPv6(host)) return null;
	if (/\p{Cc}/u.test(host)) return 'it contains a control character';
	if (/\s/.test(host)) return 'it contains a space';
	if (host.includes('@')) return 'it contains a user name';
	// Underscores are common in real zones; letters beyond ASCII are for the server to
	// encode (RFC 5891).
	const strange = /[^\p{L}\p{M}\p{N}._-]/u.exec(host);
	if (strange !== null) return `it contains ${quote(strange[0])}`;
	if (new TextEncoder().encode(host).length > MAX_NAME_BYTES) return `it is longer than ${MAX_NAME_BYTES} bytes`;
	return null;
}

/** @param {string} host */
export function isIPv6(host) {
	if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(host)) return false;
	try {
		return new URL(`http://[${host}]/`).hostname !== '';
	} catch {
		return false;
	}
}

/** @param {string} text */
function quote(text) {
	return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** Returns both in one text, as in a URL. @param {string} host @param {number} port */
export const joinHostPort = (host, port) => `${host.includes(':') ? `[${host}]` : host}:${port}`;
