// A pthread's system calls for sockets. Each is carried out in the page's thread, where
// the layer is; what would block waits here, and is tried again after every change. The
// page's thread is entered by a proxied call of the program's own (connect() with an
// argument that is no descriptor), because it may be waiting for proxied calls and for
// nothing else.

import { F_DUPFD, F_DUPFD_CLOEXEC, F_SETFL, MSG } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { CALLS, STATE, doorOf } from './cells.js';
import { entryOf } from '../program/entry.js';
import { findMemory } from '../program/instantiate.js';
import { MAX_PIECES } from '../calls/iovec.js';
import { openTest, tellFilesApart } from '../calls/nosocket.js';
import { POLL_WAITS, passingOver } from '../calls/pollset.js';
import { findFunctions } from '../program/imports.js';
import { pollLoop } from './poll.js';

/** @typedef {import('./cells.js').CallName} CallName */
/** @typedef {(...args: any[]) => any} Call */

/** Calls whose first argument is a descriptor. */
const OF_SOCKETS = CALLS.filter((name) => name.startsWith('__syscall') && name !== '__syscall_socket' && name !== '__syscall_poll' && name !== '__syscall_fcntl64');
/**
 * Names: each thread of Emscripten's would have its own table of the addresses that it
 * makes up.
 */
const NAMES = /** @type {const} */ (['getaddrinfo', 'getnameinfo', 'gethostbyname', '_emscripten_lookup_name']);

const WANTED = new Set([...OF_SOCKETS, ...NAMES, '__syscall_socket', '__syscall_bind', 'sockmux_shutdown', 'sockmux_setsockopt', '__syscall_poll', POLL_WAITS, '__syscall_fcntl64', 'fd_read', 'fd_write']);

/** Commands of fcntl() that make a descriptor. */
const DUPLICATE = [F_DUPFD, F_DUPFD_CLOEXEC];

/**
 * Puts the calls in place.
 * @param {any} imports  the import object of the program's wasm, not instantiated yet
 * @param {{ id: number, common: import('./cells.js').Common, cells: import('./cells.js').Cells }} thread
 */
export function patchThread(imports, { id, common, cells }) {
	const slots = findFunctions(imports, (name) => WANTED.has(name));
	const memory = findMemory(imports);
	const [, door] = entryOf(slots);
	if (!door || !memory) return;
	const enter = door.module[door.key];
	const heap32 = () => new Int32Array(memory.buffer);
	tellFilesApart(slots, openTest(slots, heap32));
	/** Without the page's half, the calls are the program's own. */
	let present = true;

	/**
	 * One try. Undefined: the page declined.
	 * @type {(name: CallName, args: readonly (number | bigint)[]) => number | undefined}
	 */
	const once = (name, args) => {
		if (!present) return undefined;
		cells.ask(name, args);
		enter(doorOf(id), 0, 0, 0, 0, 0);
		if (cells.state === STATE.asked) present = false;
		return cells.state === STATE.done ? cells.result : undefined;
	};
	/** Until there is a result. @type {typeof once} */
	const call = (name, args) => {
		for (;;) {
			const seen = common.changes;
			const result = once(name, args);
			const { waitMs } = cells;
			if (result === undefined || waitMs === null) return result;
			common.wait(seen, waitMs);
		}
	};

	/** @type {Record<string, (before: Call) => Call>} */
	const calls = {
		__syscall_socket: (before) => (...args) => call('__syscall_socket', args) ?? before(...args),
		__syscall_poll: (before) => pollLoop({ before, once, common, memory, waits: slots.has(POLL_WAITS) }),
		[POLL_WAITS]: passingOver(heap32),
		__syscall_fcntl64: (before) => (fd, command, ...args) => {
			const duplicates = DUPLICATE.includes(command);
			const socket = common.maySocket(fd) && (duplicates || command === F_SETFL);
			const result = (socket ? call('__syscall_fcntl64', [fd, command, ...args]) : undefined) ?? before(fd, command, ...args);
			if (socket && duplicates && result >= 0) common.markSocket(result);
			return result;
		},
		fd_read: readv,
		fd_write: writev,
	};
	for (const name of OF_SOCKETS) {
		calls[name] = (before) => (fd, ...args) => (common.maySocket(fd) ? call(name, [fd, ...args]) : undefined) ?? before(fd, ...args);
	}

	for (const name of NAMES) calls[name] = (before) => (...args) => call(name, args) ?? before(...args);

	// Pointers of 64-bit programs are BigInts, and their vectors have other steps.
	const declines = (/** @type {number} */ fd, /** @type {unknown} */ vector) => !common.maySocket(fd) || typeof vector === 'bigint';
	const view = () => new DataView(/** @type {WebAssembly.Memory} */ (memory).buffer);

	/** readv() of a socket, buffer by buffer. Only the first one waits. @param {Call} before @returns {Call} */
	function readv(before) {
		return (fd, vector, count, done) => {
			if (declines(fd, vector)) return before(fd, vector, count, done);
			if (count < 0 || count > MAX_PIECES) return ERRNO.EINVAL;
			let total = 0;
			let wait = 0;
			for (let i = 0; i < count; i++) {
				const at = view().getUint32(vector + i * 8, true);
				const length = view().getUint32(vector + i * 8 + 4, true);
				if (length === 0) continue;
				const result = call('read', [fd, at, length, wait]);
				if (result === undefined) return before(fd, vector, count, done);
				if (result < 0 && total === 0) return -result;
				if (result > 0) total += result;
				if (result < length) break;
				wait = MSG.DONTWAIT;
			}
			view().setUint32(done, total, true);
			return 0;
		};
	}

	/** writev() of a socket: its buffers leave together, as on Linux. @param {Call} before @returns {Call} */
	function writev(before) {
		return (fd, vector, count, done) => {
			if (declines(fd, vector)) return before(fd, vector, count, done);
			if (count < 0 || count > MAX_PIECES) return ERRNO.EINVAL;
			const result = call('write', [fd, vector, count, 0]);
			if (result === undefined) return before(fd, vector, count, done);
			if (result < 0) return -result;
			view().setUint32(done, result, true);
			return 0;
		};
	}

	for (const [name, { module, key }] of slots) {
		if (!calls[name]) continue;
		const before = module[key];
		// Emscripten keeps a signature and flags on its functions; dynamic linking needs them.
		module[key] = Object.assign(calls[name](before), before);
	}
}
