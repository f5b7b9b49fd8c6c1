// select() of Emscripten before 6, which is a call in JavaScript that never waits. Where the
// thread may block it is made again until something is ready or its time is up.

import { address } from '../memory.js';
import * as ERRNO from '../../wire/generated/errno.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('./retry.js').Make} Make */

/** The name of the import. */
export const SELECT = '__syscall__newselect';

/** The sets that the call takes: descriptors to read, to write, and with exceptions. */
const SETS = [1, 2, 3];
const SET_BITS = 1024;
const SET_BYTES = SET_BITS / 8;

/**
 * The descriptors in the sets of a call.
 * @param {Program} program
 * @param {any[]} args
 */
export function selected(program, args) {
	const bytes = new Uint8Array(program.heap32().buffer);
	const count = Math.min(Number(args[0]), SET_BITS);
	const sets = SETS.map((i) => address(args[i])).filter((at) => at !== 0);
	return Array.from({ length: count }, (_, fd) => fd).filter((fd) => sets.some((at) => (bytes[at + (fd >> 3)] >> (fd & 7)) & 1));
}

/**
 * How many milliseconds the call waits at most. The C library gives the time as two longs, whatever the
 * size of time_t.
 * @param {Program} program
 * @param {number | bigint} timeout
 */
export function selectLimit(program, timeout) {
	const at = address(timeout);
	if (at === 0) return Infinity;
	const view = new DataView(program.heap32().buffer);
	const wide = typeof timeout === 'bigint';
	const long = (/** @type {number} */ from) => (wide ? Number(view.getBigInt64(from, true)) : view.getInt32(from, true));
	return long(at) * 1000 + long(at + (wide ? 8 : 4)) / 1000;
}

/**
 * @param {Program} program
 * @returns {(original: (...args: any[]) => any) => Make}
 */
export const selectOnce = (program) => (original) => (args, retries, earlier) => {
	if (!retries) return { result: original(...args), pause: null };
	if (args[0] < 0) return { result: -ERRNO.EINVAL, pause: null };
	const until = earlier?.until ?? performance.now() + selectLimit(program, args[4]);
	const sets = SETS.map((i) => address(args[i])).filter((at) => at !== 0);
	const asked = sets.map((at) => new Uint8Array(program.heap32().buffer).slice(at, at + SET_BYTES));
	const result = original(...args);
	if (result !== 0 || performance.now() >= until) return { result, pause: null };
	// The call has emptied the sets; the next attempt asks for the same.
	const bytes = new Uint8Array(program.heap32().buffer);
	for (const [i, at] of sets.entries()) bytes.set(asked[i], at);
	return { result, pause: { until } };
};
