// Encodes the small modules of wasm that stand for calls which suspend: one function `call`, which
// calls imports of the module `a`, and an exported global by which they may tell it a number.

export const I32 = 0x7f;
export const EMPTY = 0x40;

/** Unsigned LEB128; the numbers here fit into 28 bits. @param {number} value @returns {number[]} */
const uint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...uint(value >>> 7)]);
/** @param {number[][]} items */
export const vector = (items) => [...uint(items.length), ...items.flat()];
/** @param {string} text */
const name = (text) => [...uint(text.length), ...new TextEncoder().encode(text)];
/** @param {number} id @param {number[]} body */
const section = (id, body) => [id, ...uint(body.length), ...body];
/** A type whose values are all of i32. @param {number} params @param {number} results */
export const type = (params, results) => [0x60, ...vector(Array(params).fill([I32])), ...vector(Array(results).fill([I32]))];

/**
 * @param {object} parts
 * @param {number[][]} parts.types
 * @param {[name: string, type: number][]} parts.imports  functions; they have the numbers from 0 on
 * @param {number} parts.call  the type of `call`
 * @param {string} [parts.global]  the name of the global
 * @param {number[]} parts.body  locals and instructions of `call`
 */
export function moduleOf({ types, imports, call, global, body }) {
	return new Uint8Array([
		0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
		...section(1, vector(types)),
		...section(2, vector(imports.map(([key, index]) => [...name('a'), ...name(key), 0, index]))),
		...section(3, vector([[call]])),
		...global === undefined ? [] : section(6, vector([[I32, 1, 0x41, 0, 0x0b]])),
		...section(7, vector([[...name('call'), 0, imports.length], ...global === undefined ? [] : [[...name(global), 3, 0]]])),
		...section(10, vector([[...uint(body.length), ...body]])),
	]);
}
