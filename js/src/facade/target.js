// Reads targets out of the URL strings that SOCKFS builds.
//
// The raw string is read, not new URL(): that drops :443 and :80, and refuses or rewrites
// names that SOCKFS passes on as the program gave them. What comes out is not checked
// yet: tunnel/target.js says what may be sent.

import { isIPv6 } from '../tunnel/target.js';

export { checkTarget } from '../tunnel/target.js';

/** @typedef {import('../tunnel/target.js').Target} Target */

/**
 * Reads the form that SOCKFS builds: "ws://" or "wss://", host, ":", port, "/". Anything
 * else gives null: what has a path, a query or a fragment is for a WebSocket server.
 * @param {string} url
 * @returns {Target | null}
 */
export function parseSockfs(url) {
	const match = /^wss?:\/\/([^/?#]*):(\d+)\/$/.exec(url);
	return match === null ? null : { host: unbracket(match[1]), port: Number(match[2]) };
}

/**
 * Reads any ws: or wss: URL; a port that is not there is the scheme's. Path, query and
 * fragment say nothing to a TCP connection.
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
