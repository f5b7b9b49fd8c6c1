// Programs whose SOCKFS cannot be found: the closure compiler has shortened the names of all
// its fields, and calls its operations without going through a table. Up to -O2 the imports of
// the wasm keep their names. There the layer has a record of its own for each TCP socket that
// the program's socket() makes, and carries out the system calls (closed-calls.js).

import { SOCK_KIND, SOCK_STREAM } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { modulesOf } from '../program/watch.js';

/** @typedef {import('../program/instantiate.js').Instance} Instance */
/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('../program/program.js').Sock} Sock */

const O_RDWR = 2;

/** What the system calls of such a program catch. */
export class ClosedError extends Error {
	/** @param {number} errno */
	constructor(errno) {
		super(`errno ${errno}`);
		this.errno = errno;
	}
}

/** Thrown by operations that are the program's own business from now on. */
export class LetGo extends Error {}

/**
 * Imports that lead to sockets past the calls that are carried out here: calls that know the
 * program's own sockets only, and callbacks of its events.
 */
const BEYOND = /^(__syscall__newselect|__syscall_epoll|__syscall_sendfile|emscripten_set_socket_|__asyncjs__|sockmux_)/;

/** The sockets of one such program. */
export class Closed {
	/** @type {Map<number, Sock>} */
	#socks = new Map();
	#active = false;
	#instance;
	#names;

	/**
	 * @param {Instance} instance  not instantiated yet
	 * @param {readonly string[]} names  the calls that are carried out here
	 */
	constructor(instance, names) {
		this.#instance = instance;
		this.#names = names;
	}

	/**
	 * Begins, in the program's first call of socket(), if all that the program may do with a
	 * socket comes by here. A program whose calls sleep by ASYNCIFY or JSPI has a poll() that
	 * waits for its own sockets; threads of its own reach them without imports.
	 * @param {Program} program
	 * @param {(program: Program) => void} found  called the first time
	 * @returns {boolean}  false: it keeps its own sockets
	 */
	begin(program, found) {
		const { imports, calls, heap32, exports } = this.#instance;
		const shared = typeof SharedArrayBuffer === 'function' && heap32().buffer instanceof SharedArrayBuffer;
		if (this.#active || shared || exports()?.asyncify_start_unwind) return this.#active;
		// What has a short name is not told apart below.
		for (const [name, { key }] of calls) if (name !== key) return false;
		for (const module of modulesOf(imports)) {
			for (const name of Object.keys(module)) {
				if (BEYOND.test(name) || (this.#names.includes(name) && typeof module[name] !== 'function')) return false;
			}
		}
		this.#active = true;
		Object.assign(program, { ErrnoError: ClosedError, ops: baseOps() });
		found(program);
		return true;
	}

	/**
	 * Takes a socket that the program has made.
	 * @param {number} fd
	 * @param {number} family
	 * @param {number} type
	 * @param {number} protocol
	 */
	made(fd, family, type, protocol) {
		this.#socks.delete(fd);
		if ((type & SOCK_KIND) !== SOCK_STREAM) return;
		this.#socks.set(fd, {
			family, type: SOCK_STREAM, protocol, server: null, error: null, peers: {}, pending: [], recv_queue: [],
			stream: { fd, flags: O_RDWR, node: {} },
		});
	}

	/** @param {number} fd */
	sockOf(fd) {
		return this.#socks.get(fd) ?? null;
	}

	/** Notes another descriptor of a socket. @param {number} fd @param {Sock} sock */
	add(fd, sock) {
		this.#socks.set(fd, sock);
	}

	/**
	 * Forgets a descriptor.
	 * @param {number} fd
	 * @returns {Sock | null}  the socket, if that was its last one
	 */
	drop(fd) {
		const sock = this.sockOf(fd);
		this.#socks.delete(fd);
		for (const [other, same] of this.#socks) {
			if (same !== sock) continue;
			sock.stream.fd = other;
			return null;
		}
		return sock;
	}

	/** Leaves a socket to the program, with all its descriptors. @param {Sock} sock */
	letGo(sock) {
		for (const [fd, same] of this.#socks) if (same === sock) this.#socks.delete(fd);
	}
}

/**
 * What SOCKFS's own operations do with a socket that has no connection.
 * @returns {Record<string, any>}
 */
function baseOps() {
	const fail = (/** @type {number} */ errno) => {
		throw new ClosedError(errno);
	};
	const leave = () => {
		throw new LetGo();
	};
	return {
		poll: () => 0,
		ioctl: () => 0,
		connect: leave,
		listen: leave,
		accept: () => fail(ERRNO.EINVAL),
		sendmsg: () => fail(ERRNO.ENOTCONN),
		recvmsg: () => fail(ERRNO.ENOTCONN),
		close: () => 0,
		bind(/** @type {Sock} */ sock, /** @type {string} */ host, /** @type {number} */ port) {
			if (sock.saddr !== undefined || sock.sport !== undefined) fail(ERRNO.EINVAL);
			sock.saddr = host;
			sock.sport = port;
		},
	};
}
