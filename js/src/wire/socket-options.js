// Options of the connection to a target, as they are on the wire: docs/PROTOCOL.md, section 5.1.

import { SOCKET_OPTIONS } from './generated/name.js';

/**
 * Options of the target's socket, as setsockopt() knows them. What is absent stays as it
 * is. The server bounds the times and the count, and leaves an option as it is that its
 * system refuses.
 * @typedef {object} SocketOptions
 * @property {boolean} [noDelay]  TCP_NODELAY
 * @property {boolean} [keepAlive]  SO_KEEPALIVE
 * @property {number} [keepIdle]  TCP_KEEPIDLE, in seconds
 * @property {number} [keepInterval]  TCP_KEEPINTVL, in seconds
 * @property {number} [keepCount]  TCP_KEEPCNT
 */

/**
 * The bytes of the options that are set. A number that is negative or none counts as 0,
 * which sets nothing.
 * @param {SocketOptions} options
 * @returns {number[]}
 */
export function encodeSocketOptions(options) {
	return SOCKET_OPTIONS.flatMap(([name, number]) => {
		if (options[name] === undefined) return [];
		const value = Math.min(Math.max(Math.ceil(Number(options[name])) || 0, 0), 0xffffffff);
		return [number, value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
	});
}
