// The system calls of a program whose SOCKFS cannot be found (closed.js), on its TCP sockets.
// They end in the same operations that SOCKFS's own would; every other descriptor is the
// program's business.

import { Closed, LetGo } from './closed.js';
import { FIONREAD, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFL, F_SETFL, O_APPEND, O_NONBLOCK, POLL } from '../flags.js';
import { address } from '../memory.js';
import * as pollfd from './pollfd.js';
import { piecesOf, pointerAt, send, total } from './iovec.js';
import { readAddress } from './sockaddr.js';

/** @typedef {import('../program/instantiate.js').Instance} Instance */
/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('../program/program.js').Sock} Sock */
/** @typedef {(...args: any[]) => any} Call */

/** Of the flags, these are changed by F_SETFL. */
const SETTABLE = O_NONBLOCK | O_APPEND;

/**
 * Puts the calls into a program's imports. They do nothing until its first socket shows
 * that its SOCKFS is hidden.
 * @param {Instance} instance
 * @param {Program} program
 * @returns {Closed}
 */
export function installClosed(instance, program) {
	const calls = makeCalls(program, () => closed);
	const closed = new Closed(instance, Object.keys(calls));
	for (const [name, make] of Object.entries(calls)) {
		const slot = instance.calls.get(name);
		if (!slot) continue;
		const before = slot.module[slot.key];
		slot.module[slot.key] = Object.assign(make(before), before);
	}
	return closed;
}

/**
 * @param {Program} program
 * @param {() => Closed} closed
 * @returns {Record<string, (before: Call) => Call>}
 */
function makeCalls(program, closed) {
	const buffer = () => program.heap32().buffer;
	const view = () => new DataView(buffer());
	const bytes = () => new Uint8Array(buffer());

	/**
	 * A call on one of our sockets; its result is a number, or that of the program's own
	 * call once the socket is left to it.
	 * @param {(sock: Sock, ...args: any[]) => number | undefined} run  undefined: the program's own
	 * @param {number} sign  of the errno that the call gives
	 */
	const ours = (run, sign = -1) => (/** @type {Call} */ before) => (/** @type {any[]} */ ...args) => {
		const sock = closed().sockOf(args[0]);
		if (!sock) return before(...args);
		try {
			return run(sock, ...args.slice(1)) ?? before(...args);
		} catch (error) {
			if (error instanceof program.ErrnoError) return sign * /** @type {any} */ (error).errno;
			if (!(error instanceof LetGo)) throw error;
			closed().letGo(sock);
			return before(...args);
		}
	};

	/** @param {Sock} sock @param {import('./iovec.js').Piece[]} list @param {number} [flags] @returns {number} */
	const receive = (sock, list, flags) => {
		const message = program.ops.recvmsg(sock, total(list), flags);
		if (!message) return 0;
		let rest = message.buffer;
		for (const { at, length } of list) {
			bytes().set(rest.subarray(0, length), at);
			rest = rest.subarray(length);
		}
		return message.buffer.byteLength;
	};

	/** msg_iov and msg_iovlen. @param {number | bigint} message */
	const ofMessage = (message) => {
		const wide = typeof message === 'bigint';
		const at = address(message) + (wide ? 16 : 8);
		const iov = pointerAt(view(), at, wide);
		return piecesOf(view(), wide ? BigInt(iov) : iov, view().getInt32(at + (wide ? 8 : 4), true));
	};

	/** @param {(sock: Sock, list: { at: number, length: number }[]) => number} run */
	const ofFile = (run) => ours((sock, iov, count, out) => {
		const done = run(sock, piecesOf(view(), iov, count));
		if (typeof out === 'bigint') view().setBigUint64(address(out), BigInt(done), true);
		else view().setUint32(address(out), done, true);
		return 0;
	}, 1);

	/** @param {boolean} replaces  whether the second argument is a descriptor that is closed */
	const duplicate = (replaces) => (/** @type {Call} */ before) => (/** @type {any[]} */ ...args) => {
		const fd = before(...args);
		if (fd < 0 || fd === args[0]) return fd;
		const sock = closed().sockOf(args[0]);
		if (replaces) end(fd);
		if (sock) closed().add(fd, sock);
		return fd;
	};

	/** @param {number} fd */
	const end = (fd) => {
		const last = closed().sockOf(fd) && closed().drop(fd);
		if (last) program.ops.close(last);
	};

	/** poll() never waits here: what waits calls it again. @param {Call} before */
	const poll = (before) => (/** @type {any[]} */ ...args) => {
		const [fds, count, ...rest] = args;
		const start = address(fds);
		const sockAt = (/** @type {number} */ i) => closed().sockOf(view().getInt32(start + i * pollfd.BYTES, true));
		const socks = Array.from({ length: Number(count) }, (_, i) => sockAt(i));
		if (!socks.some(Boolean)) return before(...args);
		let ready = 0;
		for (const [i, sock] of socks.entries()) {
			const at = start + i * pollfd.BYTES;
			if (!sock) {
				// One at a time, without the time: the program's own know no sockets of ours.
				ready += before(typeof fds === 'bigint' ? BigInt(at) : at, 1, ...rest.map(() => 0));
				continue;
			}
			const wanted = view().getInt16(at + pollfd.EVENTS, true) | POLL.ERR | POLL.HUP;
			const events = program.ops.poll(sock) & wanted;
			view().setInt16(at + pollfd.REVENTS, events, true);
			if (events) ready++;
		}
		return ready;
	};

	return {
		__syscall_connect: ours((sock, addr, length) => {
			const { errno, host, port } = readAddress(buffer(), addr, length);
			return errno !== 0 ? -errno : program.ops.connect(sock, host, port) ?? 0;
		}),
		__syscall_bind: ours((sock, addr, length) => {
			const { errno, host, port } = readAddress(buffer(), addr, length);
			return errno !== 0 ? -errno : program.ops.bind(sock, host, port) ?? 0;
		}),
		__syscall_listen: ours((sock, backlog) => program.ops.listen(sock, backlog) ?? 0),
		__syscall_accept4: ours((sock) => program.ops.accept(sock).stream.fd),
		__syscall_sendto: ours((sock, at, length) => send(program, sock, [{ at: address(at), length: address(length) }])),
		__syscall_sendmsg: ours((sock, message) => send(program, sock, ofMessage(message))),
		__syscall_recvfrom: ours((sock, at, length, flags) => receive(sock, [{ at: address(at), length: address(length) }], flags)),
		__syscall_recvmsg: ours((sock, message, flags) => receive(sock, ofMessage(message), flags)),
		fd_read: ofFile((sock, list) => receive(sock, list)),
		fd_write: ofFile((sock, list) => send(program, sock, list)),
		fd_close: (before) => (fd, ...rest) => {
			const result = before(fd, ...rest);
			end(fd);
			return result;
		},
		__syscall_dup: duplicate(false),
		__syscall_dup3: duplicate(true),
		__syscall_fcntl64: (before) => (fd, command, varargs, ...rest) => {
			if (command === F_DUPFD || command === F_DUPFD_CLOEXEC) return duplicate(false)(before)(fd, command, varargs, ...rest);
			const sock = closed().sockOf(fd);
			if (sock && command === F_GETFL) return sock.stream.flags;
			if (sock && command === F_SETFL) {
				sock.stream.flags = (sock.stream.flags & ~SETTABLE) | (view().getInt32(address(varargs), true) & SETTABLE);
			}
			return before(fd, command, varargs, ...rest);
		},
		__syscall_ioctl: ours((sock, request, varargs) => {
			if (request !== FIONREAD) return undefined;
			const at = pointerAt(view(), address(varargs), typeof varargs === 'bigint');
			view().setInt32(at, 0, true);
			program.ops.ioctl(sock, request, at);
			return 0;
		}),
		__syscall_poll: poll,
		__syscall_poll_nonblocking: poll,
	};
}
