// Descriptors in a set for poll() that are none. Linux passes over negative ones, Emscripten answers
// POLLNVAL for each: they are left out of what Emscripten's poll() sees. The rest moves to the front of
// the set for the length of the call. For closed ones, Emscripten before 6 answers nothing.

import { address } from '../memory.js';
import { POLL } from '../flags.js';
import * as pollfd from './pollfd.js';

/** @typedef {(...args: any[]) => any} Call */
/** @typedef {() => Int32Array} Heap  the memory as it is now */

/**
 * A set without its negative descriptors.
 * @typedef {object} Hidden
 * @property {any} count  of the others, as the call takes it
 * @property {() => void} restore  puts all of them back, with the results of the others
 */

/**
 * Emscripten 6.x has this call for poll() without a time, and a poll() that waits wherever the stack can. Under ASYNCIFY
 * it must be called exactly once: a call is the beginning of a sleep, or its end.
 */
export const POLL_WAITS = '__syscall_poll_nonblocking';

/** Words of an entry: the descriptor; what is asked for, below what is there. */
const WORDS = pollfd.BYTES / 4;
const ASKED = 0xffff;
const EVENT_BITS = 16;

/**
 * Returns null if no descriptor is negative.
 * @param {Heap} heap32
 * @param {number | bigint} fds
 * @param {number | bigint} count
 * @returns {Hidden | null}
 */
export function hideNegatives(heap32, fds, count) {
	const at = address(fds) / 4;
	const total = Number(count);
	const heap = heap32();
	/** @type {number[]} */
	const shown = [];
	for (let i = 0; i < total; i++) if (heap[at + i * WORDS] >= 0) shown.push(i);
	if (shown.length === total) return null;
	const before = heap.slice(at, at + total * WORDS);
	for (const [to, from] of shown.entries()) heap.copyWithin(at + to * WORDS, at + from * WORDS, at + (from + 1) * WORDS);
	return {
		count: typeof count === 'bigint' ? BigInt(shown.length) : shown.length,
		restore() {
			const after = heap32();
			const results = shown.map((_, to) => after[at + to * WORDS + 1]);
			for (let i = 0; i < total; i++) before[i * WORDS + 1] &= ASKED;
			for (const [to, from] of shown.entries()) before[from * WORDS + 1] = results[to];
			after.set(before, at);
		},
	};
}

/**
 * A poll() that returns with its result.
 * @param {Heap} heap32
 * @param {(fd: number) => boolean} [isOpen]  given where poll() says nothing of a closed descriptor
 * @returns {(before: Call) => Call}
 */
export const passingOver = (heap32, isOpen) => (before) => (fds, count, ...rest) => {
	const hidden = hideNegatives(heap32, fds, count);
	const shown = hidden?.count ?? count;
	try {
		return before(fds, shown, ...rest) + (isOpen ? tellClosed(heap32(), address(fds) / 4, Number(shown), isOpen) : 0);
	} finally {
		hidden?.restore();
	}
};

/**
 * Puts POLLNVAL to closed descriptors, and returns how many there are.
 * @param {Int32Array} heap
 * @param {number} at  where the set begins, in words
 * @param {number} count
 * @param {(fd: number) => boolean} isOpen
 */
function tellClosed(heap, at, count, isOpen) {
	let closed = 0;
	for (let i = 0; i < count; i++, at += WORDS) {
		if (heap[at + 1] >> EVENT_BITS || isOpen(heap[at])) continue;
		heap[at + 1] |= POLL.NVAL << EVENT_BITS;
		closed++;
	}
	return closed;
}

/**
 * A poll() that may sleep by ASYNCIFY: it is called once to begin, and again for the result.
 * @param {Heap} heap32
 * @param {() => boolean} sleeps  whether it does
 * @param {(fd: number) => boolean} [isOpen]
 * @returns {(before: Call) => Call}
 */
export const passingOverAsleep = (heap32, sleeps, isOpen) => (before) => {
	const awake = passingOver(heap32, isOpen)(before);
	/** @type {{ hidden: Hidden | null } | null} */
	let asleep = null;
	return (fds, count, ...rest) => {
		if (!sleeps()) return awake(fds, count, ...rest);
		const begun = asleep;
		const hidden = begun ? begun.hidden : hideNegatives(heap32, fds, count);
		asleep = null;
		let result;
		try {
			result = before(fds, hidden?.count ?? count, ...rest);
		} catch (error) {
			hidden?.restore();
			throw error;
		}
		if (begun) hidden?.restore();
		else asleep = { hidden };
		return result;
	};
};

/**
 * Returns what passingOver() needs in a program: nothing in those whose poll() tells of closed
 * descriptors.
 * @param {Map<string, unknown>} calls
 * @param {import('../program/program.js').Program} program
 * @param {((fd: number) => boolean) | undefined} isOpen
 */
export const closedTest = (calls, program, isOpen) => (calls.has(POLL_WAITS) || !isOpen ? undefined : (/** @type {number} */ fd) => program.sockOf(fd) !== null || isOpen(fd));
