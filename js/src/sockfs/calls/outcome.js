// The outcome of a connect() whose system call does not give it.

import * as ERRNO from '../../wire/generated/errno.js';

/** @typedef {import('../program/program.js').Program} Program */

/**
 * Runs the system call and returns a number in any case. php-wasm's connect() returns a promise
 * to a wasm that does not wait for one, so the operation's outcome is seen instead.
 * @param {Program} program
 * @param {() => unknown} run
 * @returns {number}  0 or a negative errno
 */
export function watchConnect({ ops }, run) {
	let outcome = 0;
	const connect = ops?.connect;
	if (connect) {
		ops.connect = (/** @type {any[]} */ ...args) => {
			try {
				return connect(...args);
			} catch (error) {
				outcome = -(/** @type {any} */ (error).errno ?? ERRNO.ECONNREFUSED);
				throw error;
			}
		};
	}
	try {
		const result = run();
		return typeof result === 'number' ? result : outcome;
	} finally {
		if (connect) ops.connect = connect;
	}
}
