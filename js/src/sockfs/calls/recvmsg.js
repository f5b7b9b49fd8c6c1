// recvmsg(). Emscripten's own puts what goes into a second buffer at the wrong place before 6.x, and never
// tells that a datagram was longer than the buffers.

import { MSG } from '../flags.js';
import { address } from '../memory.js';
import { writeAddress } from './sockaddr.js';

/** @typedef {import('../program/program.js').Program} Program */

/**
 * A struct msghdr: name, its length (padded), the buffers and their number (padded), control and its
 * length (padded), flags.
 * @param {Program} program
 * @param {number | bigint} message
 */
function openMessage(program, message) {
	const wide = typeof message === 'bigint';
	const size = wide ? 8 : 4;
	const at = address(message);
	const view = () => new DataView(program.heap32().buffer);
	const word = (/** @type {number} */ where) => (wide ? Number(view().getBigUint64(where, true)) : view().getUint32(where, true));
	const vectors = word(at + 2 * size);
	const buffers = Array.from({ length: view().getInt32(at + 3 * size, true) }, (_, i) => ({ base: word(vectors + 2 * size * i), length: word(vectors + 2 * size * i + size) }));
	const room = buffers.reduce((sum, { length }) => sum + length, 0);
	return {
		room,
		name: word(at),
		nameLength: at + size,
		/** Puts bytes into the buffers, as many as there is room for, and returns how many. @param {Uint8Array} bytes */
		fill(bytes) {
			let done = 0;
			for (const { base, length } of buffers) {
				const part = bytes.subarray(done, Math.min(done + length, room));
				new Uint8Array(program.heap32().buffer).set(part, base);
				done += part.length;
			}
			return done;
		},
		/** Tells that there is no control data. @param {number} flags */
		finish(flags) {
			view().setInt32(at + 5 * size, 0, true);
			view().setInt32(at + 6 * size, flags, true);
		},
		/** TCP gives no address with its bytes. */
		leaveName() {
			if (word(at)) view().setInt32(at + size, 0, true);
		},
	};
}

/**
 * Receives a datagram into the buffers of a struct msghdr.
 * @param {Program} program
 * @param {any} sock
 * @param {number | bigint} message
 * @param {number} flags
 * @param {(host: string) => string} shown  the address that stands for a host
 * @returns {number}  bytes; with MSG_TRUNC, those of the whole datagram
 */
export function receiveMessage(program, sock, message, flags, shown) {
	const { room, name, nameLength, fill, finish } = openMessage(program, message);
	// One byte more shows that there is more.
	const { buffer, addr, port } = program.ops.recvmsg(sock, room + 1, flags);
	const done = fill(buffer);
	if (name) writeAddress(program.heap32().buffer, name, nameLength, { family: sock.family, host: shown(addr), port });
	finish(buffer.length > room ? MSG.TRUNC : 0);
	return flags & MSG.TRUNC ? buffer.byteLength : done;
}

/**
 * Receives bytes of a stream likewise.
 * @param {Program} program
 * @param {any} sock
 * @param {number | bigint} message
 * @param {number} flags
 * @returns {number}  bytes; 0 at the end
 */
export function receiveBytes(program, sock, message, flags) {
	const { room, fill, finish, leaveName } = openMessage(program, message);
	const received = program.ops.recvmsg(sock, room, flags);
	leaveName();
	finish(0);
	return received ? fill(received.buffer) : 0;
}
