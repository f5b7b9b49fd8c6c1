// dup(): SOCKFS ends a socket with the first of its descriptors that is closed. Here it
// ends with the last.

import { F_DUPFD, F_DUPFD_CLOEXEC, O_CLOEXEC } from '../flags.js';
import { address } from '../memory.js';
import * as ERRNO from '../../wire/generated/errno.js';
import { recordOf } from './record.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('../program/program.js').Sock} Sock */

/**
 * Notes another descriptor of a socket.
 * @param {Program} program
 * @param {Sock} sock
 * @param {number} fd
 */
export function addDescriptor(program, sock, fd) {
	const { descriptors } = recordOf(sock);
	if (descriptors.size === 0) descriptors.add(sock.stream.fd);
	descriptors.add(fd);
	program.adopt?.(fd, sock);
}

/**
 * Puts the operations of SOCKFS's streams in place. Returns what undoes it.
 * @param {Program} program
 * @returns {() => void}
 */
export function patchDuplicates(program) {
	const { streamOps } = program;
	if (!streamOps) return () => undefined;
	const { close, dup } = streamOps;
	const patched = {
		/** FS calls it with each new descriptor, from Emscripten 3.1.53 on. */
		dup(/** @type {any} */ stream) {
			dup?.(stream);
			addDescriptor(program, stream.node.sock, stream.fd);
		},
		close(/** @type {any} */ stream) {
			const { sock } = stream.node;
			const { descriptors } = recordOf(sock);
			descriptors.delete(stream.fd);
			const [next] = descriptors;
			if (next === undefined) return close(stream);
			// SOCKFS works on the socket through one stream: that of a descriptor that is
			// still there.
			if (sock.stream.fd === stream.fd) {
				sock.stream = Object.assign(Object.create(Object.getPrototypeOf(stream)), stream, { fd: next });
			}
			return undefined;
		},
	};
	Object.assign(streamOps, patched);
	return () => {
		if (streamOps.close === patched.close) streamOps.close = close;
		if (streamOps.dup !== patched.dup) return;
		if (dup) streamOps.dup = dup;
		else delete streamOps.dup;
	};
}

/** A file that is always there. */
const FILE = '/dev/null';

/**
 * Runs a call that makes a descriptor of a socket's stream. Where it opens the path of the stream
 * again, which a socket has none of, it opens another file, whose stream becomes one of the socket.
 * Only programs whose FS is hidden need that; others are given `clone`.
 * @param {any} stream
 * @param {() => number} run
 * @returns {number}  the descriptor, or a negative errno
 */
function reopened(stream, run) {
	const { path, node, stream_ops, flags } = stream;
	const prototype = Object.getPrototypeOf(stream);
	/** @type {any} */
	let made = null;
	// FS gives each new stream its number.
	Object.defineProperty(prototype, 'fd', {
		configurable: true,
		set(value) {
			made = this;
			Object.defineProperty(this, 'fd', { value, configurable: true, enumerable: true, writable: true });
		},
	});
	try {
		let fd = run();
		if (fd === -ERRNO.ENOENT) {
			stream.path = FILE;
			fd = run();
		}
		// It keeps its path, so a duplicate of it is made in the same way.
		if (fd >= 0 && made && made.node !== node) Object.assign(made, { node, stream_ops, flags });
		return fd;
	} finally {
		Reflect.deleteProperty(prototype, 'fd');
		stream.path = path;
	}
}

/**
 * The system calls that make descriptors, for releases before 3.1.53, which call no
 * operation for them. In those, dup() opens the path of its file again, and a socket has
 * none.
 * @param {Program} program
 * @param {((fd: number) => boolean) | undefined} isOpen
 * @returns {Record<string, (before: (...args: any[]) => number) => (...args: any[]) => number>}
 */
export function duplicateCalls(program, isOpen) {
	/** @param {(before: (...args: any[]) => number, sock: Sock, args: any[]) => number} make */
	const ofSockets = (make) => (/** @type {(...args: any[]) => number} */ before) => (/** @type {any[]} */ ...args) => {
		const sock = program.streamOps ? program.sockOf(args[0]) : null;
		if (!sock) return before(...args);
		const fd = make((...given) => reopened(sock.stream, () => before(...given)), sock, args);
		if (fd >= 0) addDescriptor(program, sock, fd);
		return fd;
	};
	return {
		__syscall_dup: ofSockets((before, sock, args) => program.clone?.(sock.stream) ?? before(...args)),
		__syscall_dup3: ofSockets((before, sock, args) => {
			const [fd, wanted, flags] = args;
			if (fd === wanted || flags & ~O_CLOEXEC) return -ERRNO.EINVAL;
			if (wanted < 0) return -ERRNO.EBADF;
			return program.clone?.(sock.stream, wanted) ?? before(...args);
		}),
		__syscall_fcntl64: (before) => {
			const duplicate = ofSockets((own, sock, args) => {
				if (!program.clone || !isOpen) return own(...args);
				let fd = new DataView(program.heap32().buffer).getInt32(address(args[2]), true);
				if (fd < 0) return -ERRNO.EINVAL;
				while (isOpen(fd)) fd++;
				return program.clone(sock.stream, fd);
			})(before);
			return (...args) => (args[1] === F_DUPFD || args[1] === F_DUPFD_CLOEXEC ? duplicate : before)(...args);
		},
	};
}
