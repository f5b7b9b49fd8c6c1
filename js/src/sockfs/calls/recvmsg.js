// recvmsg() on UDP sockets. Emscripten's own puts what goes into a second buffer at the wrong place,
// and never tells that a datagram was longer than the buffers.

import { MSG } from '../flags.js';
import { address } from '../memory.js';
import { writeAddress } from './sockaddr.js';

/** @typedef {import('../program/program.js').Program} Program */

/**
 * Receives a datagram into the buffers of a struct msghdr.
 * @param {Program} program
 * @param {any} sock
 * @param {number | bigint} message
 * @param {number} flags
 * @param {(host: string) => string} shown  the address that stands for a host
 * @returns {number}  bytes
 */
export function receiveMessage(program, sock, message, flags, shown) {
	const wide = typeof message === 'bigint';
	const size = wide ? 8 : 4;
	const at = address(message);
	const view = () => new DataView(program.heap32().buffer);
	const word = (/** @type {number} */ where) => (wide ? Number(view().getBigUint64(where, true)) : view().getUint32(where, true));
	const name = word(at);
	// name, its length (padded), the buffers and their number (padded), control and its length (padded), flags
	const vectors = word(at + 2 * size);
	const buffers = Array.from({ length: view().getInt32(at + 3 * size, true) }, (_, i) => ({ base: word(vectors + 2 * size * i), length: word(vectors + 2 * size * i + size) }));
	const room = buffers.reduce((sum, { length }) => sum + length, 0);
	// One byte more shows that there is more.
	const { buffer, addr, port } = program.ops.recvmsg(sock, room + 1, flags & ~MSG.TRUNC);
	let done = 0;
	for (const { base, length } of buffers) {
		const part = buffer.subarray(done, Math.min(done + length, room));
		new Uint8Array(program.heap32().buffer).set(part, base);
		done += part.length;
	}
	if (name) writeAddress(program.heap32().buffer, name, at + size, { family: sock.family, host: shown(addr), port });
	view().setInt32(at + 5 * size, 0, true); // no control data
	view().setInt32(at + 6 * size, buffer.length > room ? MSG.TRUNC : 0, true);
	return done;
}
