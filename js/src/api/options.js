// The options of connect().

import { MAX_TIMEOUT_S } from './config.js';
import { shown } from './errors.js';

/**
 * Options of the target's socket, by the names of Direct Sockets.
 * @typedef {object} SocketChoices
 * @property {boolean} [noDelay]  TCP_NODELAY
 * @property {boolean} [keepAlive]  SO_KEEPALIVE; on where there is a keepAliveDelay
 * @property {number} [keepAliveDelay]  milliseconds of silence after which TCP probes the target; a second or more
 */

/**
 * @typedef {object} ConnectChoices
 * @property {number} [timeout]  seconds
 * @property {boolean} [optimistic]
 * @property {4 | 6} [family]
 * @property {'off' | 'on' | 'starttls'} [secureTransport]
 * @property {import('../http/secure.js').SecureChoices} [tls]
 * @property {boolean} [allowHalfOpen]
 * @property {AbortSignal} [signal]
 */

/**
 * @param {SocketChoices} choices
 * @returns {import('../wire/socket-options.js').SocketOptions}
 */
export function socketOptionsFrom({ noDelay, keepAlive, keepAliveDelay }) {
	if (keepAliveDelay === undefined) return { noDelay, keepAlive };
	if (!(keepAliveDelay >= 1000)) throw new TypeError(`connect: keepAliveDelay ${shown(keepAliveDelay)} is less than 1000 milliseconds`);
	return { noDelay, keepAlive: keepAlive ?? true, keepIdle: keepAliveDelay / 1000 };
}

/**
 * The time limit of a call. 0 is the server's own. One beyond what settings may say is that.
 * @param {number} seconds
 */
export function milliseconds(seconds) {
	if (!(seconds >= 0)) throw new TypeError(`timeout ${shown(seconds)} is not a number of seconds`);
	return Math.min(seconds, MAX_TIMEOUT_S) * 1000;
}

/**
 * Throws for a value that no option has.
 * @param {ConnectChoices} choices
 */
export function checkChoices({ secureTransport = 'off', family, signal }) {
	if (!['off', 'on', 'starttls'].includes(secureTransport)) throw new TypeError(`connect: secureTransport ${shown(secureTransport)} is none of "off", "on", "starttls"`);
	if (family !== undefined && family !== 4 && family !== 6) throw new TypeError(`connect: the family ${shown(family)} is neither 4 nor 6`);
	if (signal !== undefined && typeof signal?.addEventListener !== 'function') throw new TypeError(`connect: ${shown(signal)} is no AbortSignal`);
}
