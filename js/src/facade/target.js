// Reads targets out of the URL strings that SOCKFS builds, and says which targets may be sent to the server at all.
//
// The raw string is read, not new URL(): that drops :443 and :80, and refuses or rewrites names that SOCKFS passes on as the
// program gave them. Nothing here decides what may be reached (the server's policy does that); it only keeps a string that is no host
// name from ever becoming a request for something else.

import { CODES, ending } from '../tunnel/codes.js';

/** @typedef {{ host: string, port: number }} Target */

/** @typedef {import('../tunnel/codes.js').Ending} Ending */

/** A name on the wire has a length of one byte and names in the DNS end at 253 (RFC 1035, 2.3.4). */
const MAX_NAME_BYTES = 253;

/** How much of a malformed name is repeated in a message: a close reason holds 123 bytes. */
const MAX_QUOTED = 40;

/**
 * Reads the form that SOCKFS builds: "ws://" or "wss://", host, ":", port, "/", and what followed the first slash of a host string.
 * That rest is put back, so a host string with slashes is seen whole and refused. Anything else gives null.
 * @param {string} url
 * @returns {Target | null}
 */
export function parseSockfs(url) {
	const match = /^wss?:\/\/([^/]*):(\d+)\/(.*)$/s.exec(url);
	if (match === null) return null;
	const [, host, port, rest] = match;
	return { host: rest === '' ? unbracket(host) : `${host}/${rest}`, port: Number(port) };
}

/**
 * Reads any ws: or wss: URL; a port that is not there is the scheme's. Path, query and fragment say nothing to a TCP connection.
 * @param {string} url
 * @returns {Target | null}
 */
export function parseAny(url) {
	const match = /^(wss?):\/\/([^/?#]*)/i.exec(url);
	if (match === null) return null;
	const [, scheme, authority] = match;
	const withPort = /^(.*):(\d*)$/s.exec(authority);
	const implied = scheme.toLowerCase() === 'ws' ? 80 : 443;
	if (withPort === null || (authority.startsWith('[') && authority.endsWith(']'))) return { host: unbracket(authority), port: implied };
	return { host: unbracket(withPort[1]), port: withPort[2] === '' ? implied : Number(withPort[2]) };
}

/** @param {string} host */
export function unbracket(host) {
	const inner = /^\[(.*)\]$/s.exec(host);
	return inner !== null && isIPv6(inner[1]) ? inner[1] : host;
}

/**
 * Why this target cannot be sent, or null if it can. An IPv6 address stands without brackets.
 * @param {Target} target
 * @returns {Ending | null}
 */
export function checkTarget({ host, port }) {
	if (!Number.isInteger(port) || port < 1 || port > 65535) {
		return ending(CODES.invalid_request, `port ${port} of ${quote(host)} is not in 1 to 65535`);
	}
	if (/^172\.29\.\d+\.\d+$/.test(host)) {
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
	// eslint-disable-next-line no-control-regex -- these are what is looked for
	if (/[\x00-\x1f\x7f-\x9f]/.test(host)) return 'it contains a control character';
	if (/\s/.test(host)) return 'it contains a space';
	if (host.includes('@')) return 'it contains a user name';
	// Underscores are common in real zones; letters beyond ASCII are for the server to encode (RFC 5891).
	const strange = /[^\p{L}\p{M}\p{N}._-]/u.exec(host);
	if (strange !== null) return `it contains ${quote(strange[0])}`;
	if (new TextEncoder().encode(host).length > MAX_NAME_BYTES) return `it is longer than ${MAX_NAME_BYTES} bytes`;
	return null;
}

/** @param {string} host */
function isIPv6(host) {
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
