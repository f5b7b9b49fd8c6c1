// The system calls that SOCKFS's operations cannot reach: shutdown(), options,
// SOCK_NONBLOCK, and whatever blocks (blocking.js). A program gets them as imports of its wasm, so they are put into the
// import object before it is instantiated. A call that names no socket of ours goes on as
// before. Pointers are BigInt in programs with 64-bit memory.

import { patchBlocking } from './blocking.js';
import { ERRNO, O_NONBLOCK } from './errno.js';
import { address } from './memory.js';
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
/** What getsockopt() says of buffers; nothing depends on it. */
const BUFFER_SIZE = 1 << 18;

/** In the second argument of socket(). */
const SOCK_NONBLOCK = O_NONBLOCK;

export { POLLFD_BYTES } from './blocking.js';

/**
 * Replaces the imports that are there, in place.
 * @param {Instance['calls']} calls
 * @param {Program} program
 * @param {Connector} connector
 * @param {import('./blocking.js').Means} [means]  how the program's stacks may wait
 * @returns {() => void}  puts functions without wasm of ours in their place, for a program that cannot be linked to it
 */
export function patchImports(calls, program, connector, means = {}) {
	for (const [name, make] of Object.entries(makeCalls(program, connector))) replace(calls, name, make);
	return patchBlocking(calls, program, connector, means);
}

/**
 * @param {Instance['calls']} calls
 * @param {string} name
 * @param {(before: (...args: any[]) => any) => (...args: any[]) => any} make
 */
function replace(calls, name, make) {
	const slot = calls.get(name);
	if (!slot) return;
	const before = slot.module[slot.key];
	// Emscripten keeps a signature and flags on its functions; dynamic linking needs them.
	slot.module[slot.key] = Object.assign(make(before), before);
}

/**
 * @param {Program} program  a hidden one gets its ops and its ErrnoError later
 * @param {Connector} connector
 * @returns {Record<string, (before: (...args: any[]) => number) => (...args: any[]) => number>}
 */
function makeCalls(program, connector) {
	const { sockOf } = program;
	/** Runs an operation of SOCKFS as a system call. @param {() => number} run */
	const call = (run) => {
		try {
			return run() ?? 0;
		} catch (error) {
			if (program.ErrnoError && error instanceof program.ErrnoError) return -(/** @type {any} */ (error).errno);
			throw error;
		}
	};
	/**
	 * A call that is an operation of ours and of no SOCKFS.
	 * @param {string} operation
	 * @param {(sock: import('./program.js').Sock) => boolean} [mine]
	 */
	const operate = (operation, mine = () => true) => (/** @type {(...args: any[]) => number} */ before) => (/** @type {any[]} */ ...args) => {
		const [fd, ...rest] = args;
		const sock = sockOf(fd);
		const run = sock && program.ops?.[operation];
		return run && mine(sock) ? call(() => run(sock, ...rest)) : before(...args);
	};
	return {
		__syscall_socket: (before) => (domain, type, ...rest) => {
			const fd = before(domain, type, ...rest);
			const stream = type & SOCK_NONBLOCK ? sockOf(fd)?.stream : undefined;
			if (stream) stream.flags |= O_NONBLOCK;
			return fd;
		},

		__syscall_shutdown: (before) => {
			const shutdown = operate('shutdown', (sock) => socketOf(sock) !== undefined)(before);
			return (fd, how, ...rest) => {
				const known = how === 0 || how === 1 || how === 2;
				return known || !ours(fd) ? shutdown(fd, how, ...rest) : -ERRNO.EINVAL;
			};
		},

		__syscall_setsockopt: (before) => {
			const operation = operate('setsockopt')(before);
			return (fd, level, option, ...rest) => {
				// Delay, keepalive and buffers are the server's business; a program that sets them need not fail.
				if (!program.ops?.setsockopt && ours(fd) && (level === SOL_SOCKET || level === IPPROTO_TCP)) return 0;
				return operation(fd, level, option, ...rest);
			};
		},

		__syscall_getsockopt: (before) => {
			const operation = operate('getsockopt')(before);
			return (fd, level, option, value, length, ...rest) => {
				if (program.ops?.getsockopt || !ours(fd) || level !== SOL_SOCKET || ![SO_TYPE, SO_SNDBUF, SO_RCVBUF].includes(option)) return operation(fd, level, option, value, length, ...rest);
				const heap = program.heap32();
				heap[address(value) / 4] = option === SO_TYPE ? 1 : BUFFER_SIZE;
				heap[address(length) / 4] = 4;
				return 0;
			};
		},

		__syscall_recvfrom: (before) => (fd, buffer, length, flags, addr, addrlen) => {
			const socket = !program.ops?.getsockopt && flags & MSG_PEEK ? ours(fd) : undefined;
			if (!socket) return before(fd, buffer, length, flags, addr, addrlen);
			if (socket.available === 0 && !socket.eof && connector.canWait && !(sockOf(fd).stream.flags & O_NONBLOCK)) {
				waitFor(() => (socket.available > 0 || socket.eof ? 1 : 0), -1, connector);
			}
			const bytes = socket.peek(address(length));
			if (bytes === null) return socket.eof ? 0 : -ERRNO.EAGAIN;
			new Uint8Array(program.heap32().buffer).set(bytes, address(buffer));
			return bytes.length;
		},
	};

	/** @param {number} fd */
	function ours(fd) {
		const sock = sockOf(fd);
		return sock ? socketOf(sock) : undefined;
	}
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
