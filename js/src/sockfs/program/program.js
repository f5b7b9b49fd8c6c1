// Finds the parts of an Emscripten program that the layer needs. In classic scripts they
// are global; in modules they are hidden in a closure, but the first socket that such a
// program makes shows them. Where its names were shortened, that socket shows nothing,
// and the system calls are carried out without SOCKFS (calls/closed.js).

import { entryOf } from './entry.js';
import { newCall } from '../calls/call.js';
import { installClosed } from '../calls/closed-calls.js';
import { Hosts } from '../names/hosts.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { hasDescriptor } from '../sockets/record.js';

/** @typedef {import('./instantiate.js').Instance} Instance */

/** SOCKFS's record of a socket. @typedef {any} Sock */

/**
 * What the layer needs of a program.
 * @typedef {object} Program
 * @property {Record<string, any>} ops  SOCKFS.websocket_sock_ops
 * @property {new (errno: number) => Error} ErrnoError  what the program's system calls catch
 * @property {(fd: number) => Sock | null} sockOf
 * @property {() => Int32Array} heap32  the memory as it is now
 * @property {import('../calls/call.js').Call} call  the system call under way
 * @property {Hosts} hosts  the names that its addresses stand for
 * @property {(family: number, type: number, protocol: number) => Sock | null} [create]  makes a socket with a descriptor
 * @property {any} [DNS]  the fake DNS, where it can be reached
 * @property {string | null} [missing]  the name that the latest lookup did not find, where that had to give 0.0.0.0
 * @property {(event: string, param: unknown) => void} [emit]  tells the callbacks of emscripten_set_socket_*_callback; where it
 *   cannot be reached, the events of peers do
 * @property {Record<string, any>} [streamOps]  SOCKFS.stream_ops
 * @property {(stream: any, fd?: number) => number} [clone]  makes a descriptor of a stream, where dup() cannot
 * @property {(fd: number) => void} [release]  closes a descriptor, where its socket may not be found
 * @property {(fd: number, sock: Sock) => void} [adopt]  makes sockOf know another descriptor, where it must be told
 */

const OPERATIONS = ['connect', 'poll', 'sendmsg', 'recvmsg', 'close', 'ioctl'];

/** Whether an object has the operations that the layer replaces. @param {any} ops */
const isOps = (ops) => OPERATIONS.every((name) => typeof ops?.[name] === 'function');

/**
 * The program whose parts are global in this scope.
 * @param {any} scope
 * @param {() => Int32Array} heap32
 * @returns {Program | null}
 */
export function globalProgram(scope, heap32) {
	const { SOCKFS, FS, DNS, Module } = scope;
	if (!isOps(SOCKFS?.websocket_sock_ops) || typeof FS?.ErrnoError !== 'function') return null;
	return {
		ops: SOCKFS.websocket_sock_ops,
		ErrnoError: FS.ErrnoError,
		sockOf: (fd) => FS.getStream(fd)?.node?.sock ?? null,
		heap32,
		call: newCall(),
		hosts: new Hosts(),
		DNS,
		create: SOCKFS.createSocket && ((family, type, protocol) => SOCKFS.createSocket(family, type, protocol)),
		streamOps: SOCKFS.stream_ops,
		clone: FS.dupStream || !FS.createStream ? undefined : (stream, fd) => {
			const taken = fd !== undefined && FS.getStream(fd);
			if (taken) FS.close(taken);
			return FS.createStream(stream, fd, fd).fd;
		},
		emit: (event, param) => (SOCKFS.emit ? SOCKFS.emit(event, param) : Module?.websocket?.emit?.(event, param)),
	};
}

/**
 * The same for one instance: global parts count only if this instance's system calls are
 * the global ones.
 * @param {any} scope
 * @param {Instance} instance
 */
export function globalProgramOf(scope, { calls, heap32 }) {
	const [name, slot] = entryOf(calls);
	return slot && slot.module[slot.key] === scope[`_${name}`] ? globalProgram(scope, heap32) : null;
}

/**
 * A program with hidden parts. Its ops and its ErrnoError are there once it has made its
 * first socket; until then it has no sockets either.
 * @param {Instance} instance  not instantiated yet
 * @param {(program: Program) => void} found  called inside that first system call
 * @returns {Program}
 */
export function hiddenProgram(instance, found) {
	const { calls, heap32 } = instance;
	/** @type {Map<number, WeakRef<Sock>>} */
	const socks = new Map();
	/** @type {any} */
	const program = {
		heap32,
		call: newCall(),
		hosts: new Hosts(),
		sockOf(/** @type {number} */ fd) {
			const sock = socks.get(fd)?.deref();
			if (!sock) return closed.sockOf(fd);
			return hasDescriptor(sock, fd) ? sock : null;
		},
		release(/** @type {number} */ fd) {
			const close = calls.get('fd_close');
			close?.module[close.key](fd);
		},
		adopt: (/** @type {number} */ fd, /** @type {Sock} */ sock) => void socks.set(fd, new WeakRef(sock)),
	};
	const closed = installClosed(instance, program);
	const slot = calls.get('__syscall_socket');
	if (!slot) return program;
	const before = slot.module[slot.key];
	program.create = (/** @type {[number, number, number]} */ ...args) => program.sockOf(slot.module[slot.key](...args, 0, 0, 0));
	let seen = false;
	slot.module[slot.key] = Object.assign((/** @type {[number, number, number]} */ ...args) => {
		const { result, sock } = watchSock(() => before(...args));
		if (sock === null) {
			if (result >= 0 && !seen && closed.begin(program, found)) closed.made(result, ...args);
			return result;
		}
		socks.set(result, new WeakRef(sock));
		if (seen) return result;
		seen = true;
		const ErrnoError = provokeError(sock);
		if (!isOps(sock.sock_ops) || ErrnoError === null) return result;
		Object.assign(program, { ops: sock.sock_ops, streamOps: sock.stream?.stream_ops, ErrnoError });
		found(program);
		return result;
	}, before);
	return program;
}

/**
 * Runs socket() and sees the record that it makes: SOCKFS stores it as `node.sock`, and
 * for the length of this call Object.prototype notices.
 * @param {() => number} run
 */
function watchSock(run) {
	/** @type {Sock | null} */
	let sock = null;
	Object.defineProperty(Object.prototype, 'sock', {
		configurable: true,
		set(value) {
			sock ??= value;
			Object.defineProperty(this, 'sock', { value, configurable: true, enumerable: true, writable: true });
		},
	});
	try {
		return { result: run(), sock };
	} finally {
		Reflect.deleteProperty(Object.prototype, 'sock');
	}
}

/**
 * Reading from a socket without a peer fails with the program's own kind of error, and
 * nothing else happens: ENOTCONN of TCP, EAGAIN of UDP.
 * @param {Sock} sock
 * @returns {Program['ErrnoError'] | null}
 */
function provokeError(sock) {
	try {
		sock.sock_ops.recvmsg(sock, 1);
	} catch (error) {
		const { errno, constructor } = /** @type {any} */ (error);
		if (errno === ERRNO.ENOTCONN || errno === ERRNO.EAGAIN) return constructor;
	}
	return null;
}
