// The shared memory between a pthread's worker and the page. The worker puts a system call into its
// cells and enters the page's thread by a proxied call; the page puts the result there.

import { COUNT, raise } from './signal.js';

// threads.js makes the memory; MEMORY_BYTES there is enough for both kinds.

/** Emscripten has at most 4096 descriptors; higher ones count as no sockets of ours. */
const MAX_DESCRIPTORS = 4096;

/**
 * Words of the memory that all threads share: a counter of changes, then a bit a descriptor. The
 * counter stands where that of a signal does, which may take its place.
 */
const CHANGES = COUNT;
const DESCRIPTORS_AT = 1;

/** A system call has at most six arguments, getnameinfo() has seven. */
export const MAX_ARGS = 7;

/** Words of one thread's cells, and behind them doubles. */
const WORD = Object.freeze({ state: 0, call: 1, count: 2, big: 3, waits: 4 });
/** Even, so that the doubles behind them are aligned. */
const WORDS = 6;
const DOUBLE = Object.freeze({ result: 0, waitMs: 1, args: 2 });
const DOUBLES = DOUBLE.args + MAX_ARGS;

export const STATE = Object.freeze({ idle: 0, asked: 1, done: 2, declined: 3 });

/**
 * The calls that travel. The order is part of the contract of a page with its workers,
 * which have the same build. `read` is a buffer of fd_read, `write` all of fd_write.
 */
export const CALLS = Object.freeze(/** @type {const} */ ([
	'__syscall_socket', '__syscall_connect', '__syscall_bind', '__syscall_listen', '__syscall_accept4', '__syscall_sendto', '__syscall_sendmsg', '__syscall_recvfrom', '__syscall_recvmsg',
	'__syscall_shutdown', '__syscall_setsockopt', '__syscall_getsockopt', '__syscall_getsockname', '__syscall_getpeername',
	'__syscall_dup', '__syscall_dup3', '__syscall_fcntl64', '__syscall_ioctl', '__syscall_poll', 'read', 'write',
	'getaddrinfo', 'getnameinfo', 'gethostbyname', '_emscripten_lookup_name',
]));

/** @typedef {typeof CALLS[number]} CallName */

/**
 * First argument of the proxied call, minus the thread's number: no descriptor, so
 * without the page's half the call fails with EBADF.
 */
const DOOR = -1_000_000_000;

/** @param {number} id */
export const doorOf = (id) => DOOR - id;

/** The thread's number behind a first argument, 0 if it is none. @param {number} value */
export const threadBehind = (value) => (value < DOOR && value > 2 * DOOR ? DOOR - value : 0);

/** What all threads of a page or a worker share. */
export class Common {
	#words;
	#changes;

	/**
	 * @param {SharedArrayBuffer} buffer
	 * @param {SharedArrayBuffer} [changes]  a worker's signal (signal.js), which counts the changes: the worker may
	 *   block, and does not pass them on then
	 */
	constructor(buffer, changes = buffer) {
		this.#words = new Int32Array(buffer);
		this.#changes = new Int32Array(changes);
	}

	get changes() {
		return Atomics.load(this.#changes, CHANGES);
	}

	/** Wakes all that wait. */
	changed() {
		raise(this.#changes);
	}

	/**
	 * Waits for a change after `seen`.
	 * @param {number} seen
	 * @param {number} milliseconds
	 */
	wait(seen, milliseconds) {
		Atomics.wait(this.#changes, CHANGES, seen, milliseconds);
	}

	/**
	 * Whether the descriptor was a socket's once: it may be a file's meanwhile.
	 * @param {number} fd
	 */
	maySocket(fd) {
		return fd >= 0 && fd < MAX_DESCRIPTORS && (Atomics.load(this.#words, DESCRIPTORS_AT + (fd >> 5)) & (1 << (fd & 31))) !== 0;
	}

	/** @param {number} fd */
	markSocket(fd) {
		if (fd >= 0 && fd < MAX_DESCRIPTORS) Atomics.or(this.#words, DESCRIPTORS_AT + (fd >> 5), 1 << (fd & 31));
	}
}

/**
 * One thread's call. Only the thread writes before it enters the page's thread, and only
 * the page until it returns.
 */
export class Cells {
	#words;
	#doubles;

	/** @param {SharedArrayBuffer} buffer */
	constructor(buffer) {
		this.#words = new Int32Array(buffer, 0, WORDS);
		this.#doubles = new Float64Array(buffer, WORDS * 4, DOUBLES);
	}

	get state() {
		return Atomics.load(this.#words, WORD.state);
	}

	set state(state) {
		Atomics.store(this.#words, WORD.state, state);
	}

	/**
	 * @param {CallName} name
	 * @param {readonly (number | bigint)[]} args
	 */
	ask(name, args) {
		let big = 0;
		for (let i = 0; i < args.length && i < MAX_ARGS; i++) {
			if (typeof args[i] === 'bigint') big |= 1 << i;
			this.#doubles[DOUBLE.args + i] = Number(args[i]);
		}
		this.#words[WORD.call] = CALLS.indexOf(name);
		this.#words[WORD.count] = Math.min(args.length, MAX_ARGS);
		this.#words[WORD.big] = big;
		this.#words[WORD.waits] = 0;
		this.state = STATE.asked;
	}

	/**
	 * What was asked. 64-bit programs have pointers that are BigInts, and get them back
	 * as such.
	 */
	get asked() {
		const big = this.#words[WORD.big];
		/** @type {(number | bigint)[]} */
		const args = [];
		for (let i = 0; i < this.#words[WORD.count]; i++) {
			const value = this.#doubles[DOUBLE.args + i];
			args.push(big & (1 << i) ? BigInt(value) : value);
		}
		return { name: CALLS[this.#words[WORD.call]], args };
	}

	/**
	 * @param {number} result
	 * @param {number | null} waitMs  null: the result is final; else the call is to be repeated after the next change, or after so long
	 */
	answer(result, waitMs) {
		this.#doubles[DOUBLE.result] = result;
		this.#doubles[DOUBLE.waitMs] = waitMs ?? 0;
		this.#words[WORD.waits] = waitMs === null ? 0 : 1;
		this.state = STATE.done;
	}

	/** The call is not ours. */
	decline() {
		this.state = STATE.declined;
	}

	get result() {
		return this.#doubles[DOUBLE.result];
	}

	/** Null: the result is final. */
	get waitMs() {
		return this.#words[WORD.waits] === 0 ? null : this.#doubles[DOUBLE.waitMs];
	}
}
