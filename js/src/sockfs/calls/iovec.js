// Vectors of buffers (struct iovec), as readv(), writev() and sendmsg() are given them.

import { address } from '../memory.js';

/** readv() and writev() take so many buffers: IOV_MAX of Linux. */
export const MAX_PIECES = 1024;

/** @typedef {{ at: number, length: number }} Piece  of a program's memory */

/**
 * A pointer or a size in memory. wide: the program has 64-bit memory.
 * @param {DataView} view
 * @param {number} at
 * @param {boolean} wide
 */
export const pointerAt = (view, at, wide) => (wide ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true));

/**
 * The pieces of memory that a vector names.
 * @param {DataView} view
 * @param {number | bigint} iov  a BigInt in a program with 64-bit memory
 * @param {number | bigint} count
 * @returns {Piece[]}
 */
export function piecesOf(view, iov, count) {
	const wide = typeof iov === 'bigint';
	const size = wide ? 8 : 4;
	return Array.from({ length: Number(count) }, (_, i) => {
		const at = address(iov) + 2 * size * i;
		return { at: pointerAt(view, at, wide), length: pointerAt(view, at + size, wide) };
	});
}

/** @param {Piece[]} list */
export const total = (list) => list.reduce((sum, { length }) => sum + length, 0);

/**
 * Sends the pieces of a vector in one operation, as Linux does: they leave together.
 * @param {import('../program/program.js').Program} program
 * @param {import('../program/program.js').Sock} sock
 * @param {Piece[]} list
 * @returns {number}  how many bytes it took
 */
export function send(program, sock, list) {
	const heap = new Uint8Array(program.heap32().buffer);
	if (list.length === 1) return program.ops.sendmsg(sock, heap, list[0].at, list[0].length);
	const all = new Uint8Array(total(list));
	let done = 0;
	for (const { at, length } of list) {
		all.set(heap.subarray(at, at + length), done);
		done += length;
	}
	return program.ops.sendmsg(sock, all, 0, all.length);
}
