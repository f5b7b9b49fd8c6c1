// dup(): SOCKFS ends a socket with the first of its descriptors that is closed. Here it ends with the last.

import { recordOf } from './record.js';

/** @typedef {import('./program.js').Program} Program */
/** @typedef {import('./program.js').Sock} Sock */

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
			// SOCKFS works on the socket through one stream: that of a descriptor that is still there.
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
