// The system calls that SOCKFS's operations cannot reach: poll() that waits, shutdown(), options, MSG_PEEK. A program gets them as imports of
// its wasm, so they are put into the import object before it is instantiated; a call that names no socket of ours goes on as before.

import { ERRNO, O_NONBLOCK } from './errno.js';
import { socketOf } from './ops.js';

/** @typedef {import('./connector.js').Connector} Connector */
/** @typedef {import('./instantiate.js').Instance} Instance */
/** @typedef {import('./program.js').Program} Program */

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const SO_TYPE = 3;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const MSG_PEEK = 2;
/** struct pollfd: int fd, short events, short revents. */
export const POLLFD_BYTES = 8;
/** What getsockopt() says of buffers; nothing depends on it. */
const BUFFER_SIZE = 1 << 18;

/**
 * Replaces the imports that are there, in place.
 * @param {Instance['calls']} calls
 * @param {Program} program
 * @param {Connector} connector
 */
export function patchImports(calls, program, connector) {
	for (const [name, make] of Object.entries(makeCalls(program, connector))) {
		const slot = calls.get(name);
		if (!slot) continue;
		const before = slot.module[slot.key];
		// Emscripten keeps a signature and flags on its functions; dynamic linking needs them.
		slot.module[slot.key] = Object.assign(make(before), before);
	}
}

/**
 * @param {Program} program
 * @param {Connector} connector
 * @returns {Record<string, (before: (...args: number[]) => number) => (...args: number[]) => number>}
 */
function makeCalls(program, connector) {
	// ops and ErrnoError of a hidden program come later.
	const { sockOf, heap32 } = program;
	const ours = (/** @type {number} */ fd) => {
		const sock = sockOf(fd);
		return sock ? socketOf(sock) : undefined;
	};
	/** Runs an operation of SOCKFS as a system call. @param {() => number} run */
	const call = (run) => {
		try {
			return run();
		} catch (error) {
			if (error instanceof program.ErrnoError) return -(/** @type {any} */ (error).errno);
			throw error;
		}
	};
	return {
		__syscall_poll: (before) => (fds, count, timeout) => {
			const first = before(fds, count, 0);
			if (first !== 0 || timeout === 0) return first;
			let any = false;
			for (let i = 0; i < count && !any; i++) any = ours(heap32()[(fds + i * POLLFD_BYTES) >> 2]) !== undefined;
			if (!any || !connector.canWait) return before(fds, count, timeout);
			return waitFor(() => before(fds, count, 0), timeout, connector);
		},

		__syscall_shutdown: (before) => (fd, how, ...rest) => {
			const sock = sockOf(fd);
			if (!sock || !socketOf(sock)) return before(fd, how, ...rest);
			if (how !== 0 && how !== 1 && how !== 2) return -ERRNO.EINVAL;
			return call(() => program.ops.shutdown(sock, how));
		},

		__syscall_setsockopt: (before) => (fd, level, option, ...rest) => {
			// Delay, keepalive and buffers are the server's business; a program that sets them need not fail.
			if (ours(fd) && (level === SOL_SOCKET || level === IPPROTO_TCP)) return 0;
			return before(fd, level, option, ...rest);
		},

		__syscall_getsockopt: (before) => (fd, level, option, value, length, ...rest) => {
			if (!ours(fd) || level !== SOL_SOCKET || ![SO_TYPE, SO_SNDBUF, SO_RCVBUF].includes(option)) return before(fd, level, option, value, length, ...rest);
			const heap = heap32();
			heap[value >> 2] = option === SO_TYPE ? 1 : BUFFER_SIZE;
			heap[length >> 2] = 4;
			return 0;
		},

		__syscall_recvfrom: (before) => (fd, buffer, length, flags, addr, addrlen) => {
			const socket = flags & MSG_PEEK ? ours(fd) : undefined;
			if (!socket) return before(fd, buffer, length, flags, addr, addrlen);
			if (socket.available === 0 && !socket.eof && connector.canWait && !(sockOf(fd).stream.flags & O_NONBLOCK)) {
				waitFor(() => (socket.available > 0 || socket.eof ? 1 : 0), -1, connector);
			}
			const bytes = socket.peek(length);
			if (bytes === null) return socket.eof ? 0 : -ERRNO.EAGAIN;
			new Uint8Array(heap32().buffer).set(bytes, buffer);
			return bytes.length;
		},
	};
}

/**
 * Looks again until there is a result or the time is up.
 * @param {() => number} look  0: not yet
 * @param {number} timeout  milliseconds; negative: for ever
 * @param {Connector} connector
 */
export function waitFor(look, timeout, connector) {
	const end = timeout < 0 ? Infinity : performance.now() + timeout;
	for (;;) {
		const result = look();
		if (result !== 0) return result;
		const left = end - performance.now();
		if (left <= 0) return 0;
		connector.wait(left);
	}
}

