// The forms of an address that connect() takes.

import { isIPv6 } from '../tunnel/target.js';
import * as CODES from '../wire/generated/code.js';
import { shown, socketError } from './errors.js';

/** @typedef {{ host: string, port: number }} Target */

/**
 * Reads "host:port" or { hostname, port }, as WinterTC's connect() does. An IPv6 address in the
 * text has brackets.
 * @param {unknown} address
 * @returns {Target}  throws a SocketError
 */
export function targetOf(address) {
	const wanted = 'an address is "db.example:5432", "[2001:db8::7]:443" or { hostname, port }';
	if (typeof address === 'string') {
		const [, host, port] = /^(.+):(\d+)$/s.exec(address) ?? [];
		const unbracketed = host?.includes(':') && !host.startsWith('[');
		if (host === undefined || unbracketed) throw socketError(shown(address), CODES.invalid_request, wanted);
		return checked(address, host, port);
	}
	const { hostname, port } = /** @type {any} */ (address ?? {});
	if (typeof hostname !== 'string' || hostname === '') throw socketError(shown(address), CODES.invalid_request, wanted);
	return checked(`${hostname}:${port}`, hostname, port);
}

/**
 * @param {string} shownAs
 * @param {string} host
 * @param {unknown} port
 */
function checked(shownAs, host, port) {
	const number = portOf(shownAs, port);
	const name = hostOf(host);
	if (name === null) throw socketError(shownAs, CODES.invalid_request, `${shown(host)} is not a host name`);
	return { host: name, port: number };
}

/**
 * Checks what connect(host, port) was given, as far as that needs no knowledge of names. Throws a
 * SocketError, which is the TypeError of Direct Sockets.
 * @param {unknown} host
 * @param {unknown} port
 * @returns {Target}
 */
export function targetFrom(host, port) {
	if (typeof host !== 'string' || host === '') throw socketError(shown(host), CODES.invalid_request, 'the host is not a name or an address');
	return { host: hostOf(host) ?? host, port: portOf(host, port) };
}

/**
 * @param {string} shownAs  the target, in an error
 * @param {unknown} port
 * @returns {number}  throws a SocketError
 */
function portOf(shownAs, port) {
	const number = typeof port === 'string' && /^\d+$/.test(port) ? Number(port) : port;
	if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number <= 65535) return number;
	throw socketError(shownAs, CODES.invalid_request, `port ${shown(port)} is not a whole number in 1 to 65535`);
}

/**
 * Reads a host by the rules of URLs: an IPv6 address may have brackets, and a name may have
 * letters beyond ASCII.
 * @param {string} host
 * @returns {string | null}  null: a URL would not take it
 */
export function hostOf(host) {
	if (isIPv6(host)) return host;
	if (/[\s/\\?#@]/.test(host)) return null; // they would end the host, or be taken out
	try {
		return new URL(`http://${host}/`).hostname.replace(/^\[(.*)\]$/, '$1') || null;
	} catch {
		return null;
	}
}
