// The errors of the sockets that a page opens itself.

import { ending } from '../wire/codes.js';

/** @typedef {import('../wire/codes.js').Ending} Ending */

/** Says why a socket failed. It is a TypeError because WinterTC's sockets API has it so. */
export class SocketError extends TypeError {
	/**
	 * @param {string} target
	 * @param {Ending} why
	 */
	constructor(target, why) {
		super(`${target}: ${why.name}${why.text === '' ? '' : `: ${why.text}`}`);
		/** A name of the protocol's table, such as "refused". */
		this.code = why.name;
		/** Emscripten's number. */
		this.errno = why.errno;
		/** What the server, or the tunnel, says about it; may be empty. */
		this.text = why.text;
	}
}

// At the prototype: an error's stack begins with the name that it has when it is made.
SocketError.prototype.name = 'SocketError';

/**
 * The error of a call that cannot be served.
 * @param {string} target
 * @param {number} code  one of CODES
 * @param {string} text
 */
export const socketError = (target, code, text) => new SocketError(target, ending(code, text));

/** Says in an error what was given instead of what is needed. @param {unknown} value */
export function shown(value) {
	if (typeof value === 'string') return JSON.stringify(value);
	return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}
