// The system calls that SOCKFS's operations cannot reach: shutdown(), options,
// SOCK_NONBLOCK, and whatever blocks (blocking.js). A program gets them as imports of its
// wasm, so they are put into the import object before it is instantiated. A call that
// names no socket of ours goes on as before. Pointers are BigInt in programs with 64-bit
// memory.

import { patchBlocking } from './blocking.js';
import { MAX_PIECES, piecesOf, pointerAt, total } from './iovec.js';
import { endCalls } from './ends.js';
import { duplicateCalls } from '../sockets/duplicates.js';
import { O_NONBLOCK, SOCK_NONBLOCK } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { address } from '../memory.js';
import { DOTTED } from '../../tunnel/ip.js';
import { receiveBytes, receiveMessage } from './recvmsg.js';
import { openTest } from './nosocket.js';
import { closedTest, passingOver } from './pollset.js';
import { nameCalls } from '../names/name-calls.js';
import { watchConnect } from './outcome.js';
import { setFlags } from './set-flags.js';
import { datagramsOf, isFresh, socketOf } from '../sockets/record.js';

/** @typedef {import('../connector.js').Connector} Connector */
/** @typedef {import('../program/instantiate.js').Instance} Instance */
/** @typedef {import('../program/program.js').Program} Program */

const AF_UNSPEC = 0;
/** ioctl(): whether calls wait, bytes that have not left, and whether urgent data is next. */
const FIONBIO = 0x5421;
const TIOCOUTQ = 0x5411;
const SIOCATMARK = 0x8905;
/** ioctl(): whether exec() closes the descriptor. There is no exec(). */
const FIOCLEX = 0x5451;
const FIONCLEX = 0x5450;

/** @param {string | undefined} host */
const isAddress = (host) => host === undefined || DOTTED.test(host) || host.includes(':');

/**
 * Replaces the imports that are there, in place.
 * @param {Instance['calls']} calls
 * @param {Program} program
 * @param {Connector} connector
 * @param {Omit<import('./blocking.js').Means, 'names' | 'isOpen'>} [means]  how the program's stacks may wait
 * @returns {() => void}  puts functions without wasm of ours in their place, for a program that cannot be linked to it
 */
export function patchImports(calls, program, connector, means = {}) {
	const isOpen = openTest(calls, program.heap32);
	for (const [name, make] of Object.entries(makeCalls(program, isOpen))) replace(calls, name, make);
	return patchBlocking(calls, program, connector, { ...means, isOpen: closedTest(calls, program, isOpen), names: waitingCalls(program, connector) });
}

/**
 * Returns the calls that are not only repeated, each made of the program's own.
 * @param {Program} program
 * @param {Connector} connector
 * @param {Instance['calls']} calls
 * @returns {Record<string, (before: (...args: any[]) => any) => (...args: any[]) => any>}
 */
export const operationCalls = (program, connector, calls) => {
	const isOpen = openTest(calls, program.heap32);
	return {
		...makeCalls(program, isOpen),
		...waitingCalls(program, connector),
		__syscall_poll: passingOver(program.heap32, closedTest(calls, program, isOpen)),
	};
};

/**
 * Calls that wait without the program's own.
 * @param {Program} program
 * @param {Connector} connector
 */
function waitingCalls(program, connector) {
	const { bind, accept4 } = endCalls(program, caller(program));
	return { ...nameCalls(program, connector), __syscall_bind: bind, __syscall_accept4: accept4, __syscall_recvmsg: recvmsgCall(program) };
}

/**
 * recvmsg() into each buffer of a message, with the sender of a datagram.
 * @param {Program} program
 * @returns {(before: (...args: any[]) => number) => (...args: any[]) => number}
 */
function recvmsgCall(program) {
	const { sockOf } = program;
	const call = caller(program);
	return (before) => (fd, message, ...rest) => {
		const sock = sockOf(fd);
		const datagrams = sock && datagramsOf(sock);
		// Where the fake DNS is hidden, SOCKFS alone knows the address of a name.
		if (datagrams && (program.DNS || isAddress(datagrams.next?.peer?.host ?? sock.daddr))) {
			const shown = (/** @type {string} */ host) => program.DNS?.lookup_name(host) ?? host;
			return call(() => receiveMessage(program, sock, message, rest[0], shown));
		}
		if (!sock || !socketOf(sock)) return before(fd, message, ...rest);
		return call(() => receiveBytes(program, sock, message, rest[0]));
	};
}

/**
 * Returns what runs an operation of SOCKFS as a system call.
 * @param {Program} program
 */
const caller = (program) => (/** @type {() => number} */ run) => {
	try {
		return run() ?? 0;
	} catch (error) {
		if (program.ErrnoError && error instanceof program.ErrnoError) return -(/** @type {any} */ (error).errno);
		throw error;
	}
};

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
 * @param {((fd: number) => boolean) | undefined} isOpen
 * @returns {Record<string, (before: (...args: any[]) => number) => (...args: any[]) => number>}
 */
function makeCalls(program, isOpen) {
	const { sockOf } = program;
	const call = caller(program);
	/**
	 * A call that is an operation of ours and of no SOCKFS.
	 * @param {string} operation
	 * @param {(sock: import('../program/program.js').Sock) => boolean} [mine]
	 */
	const operate = (operation, mine = () => true) => (/** @type {(...args: any[]) => number} */ before) => (/** @type {any[]} */ ...args) => {
		const [fd, ...rest] = args;
		const sock = sockOf(fd);
		const run = sock && program.ops?.[operation];
		return run && mine(sock) ? call(() => run(sock, ...rest)) : before(...args);
	};
	const ends = endCalls(program, call);
	const duplicates = duplicateCalls(program, isOpen);
	const view = () => new DataView(program.heap32().buffer);
	/** Our socket behind a descriptor. @param {number} fd */
	const ours = (fd) => {
		const sock = sockOf(fd);
		return sock ? socketOf(sock) : undefined;
	};
	/**
	 * readv() or writev(), and read() or write(): of no bytes they end at once, unlike recv().
	 * @param {(...args: any[]) => number} before
	 */
	const vector = (before) => (/** @type {any[]} */ ...args) => {
		const [fd, pieces, count, done] = args;
		if (!sockOf(fd)) return before(...args);
		if (count < 0 || count > MAX_PIECES) return ERRNO.EINVAL;
		if (total(piecesOf(view(), pieces, count)) > 0) return before(...args);
		if (typeof done === 'bigint') view().setBigUint64(address(done), 0n, true);
		else view().setUint32(done, 0, true);
		return 0;
	};
	return {
		__syscall_socket: (before) => (domain, type, ...rest) => {
			const fd = ends.socket(before)(domain, type, ...rest);
			const stream = type & SOCK_NONBLOCK ? sockOf(fd)?.stream : undefined;
			if (stream) stream.flags |= O_NONBLOCK;
			return fd;
		},

		// AF_UNSPEC: SOCKFS knows no such address.
		__syscall_connect: (before) => {
			const disconnect = operate('disconnect', (sock) => socketOf(sock) !== undefined || datagramsOf(sock) !== undefined)(before);
			const connect = ends.connect(before);
			return (fd, addr, length, ...rest) => {
				const unspecified = length >= 2 && new DataView(program.heap32().buffer).getUint16(address(addr), true) === AF_UNSPEC;
				if (unspecified) return disconnect(fd, addr, length, ...rest);
				return watchConnect(program, () => call(() => connect(fd, addr, length, ...rest)));
			};
		},
		__syscall_getsockname: ends.getsockname,
		__syscall_getpeername: ends.getpeername,

		// TCP gives no address with its bytes.
		__syscall_recvfrom: (before) => (fd, buffer, length, flags, addr, addrlen, ...rest) => {
			if (!addr || !ours(fd)) return before(fd, buffer, length, flags, addr, addrlen, ...rest);
			const none = typeof addr === 'bigint' ? 0n : 0;
			const result = before(fd, buffer, length, flags, none, none, ...rest);
			if (result >= 0 && addrlen) view().setInt32(address(addrlen), 0, true);
			return result;
		},

		fd_read: vector,
		fd_write: vector,

		// Emscripten 3 ends the program at FIONBIO.
		__syscall_ioctl: (before) => (fd, request, varargs, ...rest) => {
			if ((request === FIOCLEX || request === FIONCLEX) && sockOf(fd)) return 0;
			const blocking = request === FIONBIO ? sockOf(fd)?.stream : undefined;
			const socket = request === TIOCOUTQ || request === SIOCATMARK ? ours(fd) : undefined;
			if (!socket && !blocking) return before(fd, request, varargs, ...rest);
			const pointer = pointerAt(view(), address(varargs), typeof varargs === 'bigint');
			if (blocking && view().getInt32(pointer, true)) blocking.flags |= O_NONBLOCK;
			else if (blocking) blocking.flags &= ~O_NONBLOCK;
			else view().setInt32(pointer, request === TIOCOUTQ ? socket?.unsent ?? 0 : 0, true);
			return 0;
		},

		...duplicates,
		__syscall_fcntl64: (before) => {
			const duplicate = duplicates.__syscall_fcntl64(before);
			return (fd, command, varargs, ...rest) => (setFlags(program, fd, command, varargs) ? 0 : duplicate(fd, command, varargs, ...rest));
		},

		// Pyodide's shutdown() asks here first, and takes the result from memory.
		_try_shutdown: (before) => (fd, how, at) => {
			const sock = sockOf(fd);
			if (!sock || !(socketOf(sock) || isFresh(sock)) || !program.ops?.shutdown) return before(fd, how, at);
			view().setInt32(address(at), call(() => program.ops.shutdown(sock, how)), true);
			return 1;
		},
		__syscall_shutdown: operate('shutdown', (sock) => socketOf(sock) !== undefined || isFresh(sock)),
		__syscall_setsockopt: operate('setsockopt'),
		__syscall_getsockopt: operate('getsockopt'),
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
