// Socket addresses in a program's memory, for programs whose own functions for them have no names.

import * as ERRNO from '../../wire/generated/errno.js';
import { address } from '../memory.js';

const AF_INET = 2;
const AF_INET6 = 10;
/** Bytes of sockaddr_in and sockaddr_in6. */
const SIZES = new Map([[AF_INET, 16], [AF_INET6, 28]]);
/** Where the addresses stand in them. */
const IN_ADDR = 4;
const IN6_ADDR = 8;
/** What stands before an IPv4 address within one of IPv6. */
const MAPPED = Object.freeze([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
const DOTTED = /^\d+\.\d+\.\d+\.\d+$/;
const NONE = '0.0.0.0';

/**
 * Reads an address as the wasm gives it.
 * @param {ArrayBufferLike} buffer
 * @param {number | bigint} pointer
 * @param {number} length
 * @returns {{ errno: number } | { errno: 0, host: string, port: number }}  host: without brackets; one of IPv4 in four decimal parts
 */
export function readAddress(buffer, pointer, length) {
	const at = address(pointer);
	const view = new DataView(buffer);
	if (length < 2) return { errno: ERRNO.EINVAL };
	const family = view.getUint16(at, true);
	const size = SIZES.get(family);
	if (size === undefined) return { errno: ERRNO.EAFNOSUPPORT };
	if (length !== size) return { errno: ERRNO.EINVAL };
	const port = view.getUint16(at + 2);
	if (family === AF_INET) return { errno: 0, host: dotted(new Uint8Array(buffer, at + IN_ADDR, 4)), port };
	const bytes = new Uint8Array(buffer, at + IN6_ADDR, 16);
	return { errno: 0, host: MAPPED.every((byte, i) => bytes[i] === byte) ? dotted(bytes.subarray(12)) : groups(bytes), port };
}

/**
 * Writes an address, whole, as SOCKFS does.
 * @param {ArrayBufferLike} buffer
 * @param {number | bigint} pointer
 * @param {number | bigint} lengthPointer
 * @param {{ family: number, host: string, port: number }} what  host: an address
 */
export function writeAddress(buffer, pointer, lengthPointer, { family, host, port }) {
	const at = address(pointer);
	const size = SIZES.get(family) ?? 0;
	const view = new DataView(buffer);
	const bytes = new Uint8Array(buffer, at, size).fill(0);
	view.setUint16(at, family, true);
	view.setUint16(at + 2, port);
	if (family === AF_INET) bytes.set(DOTTED.test(host) ? parts(host) : [], IN_ADDR);
	else if (host !== NONE) bytes.set(DOTTED.test(host) ? [...MAPPED, ...parts(host)] : ofGroups(host), IN6_ADDR);
	if (lengthPointer) view.setInt32(address(lengthPointer), size, true);
}

/** @param {Uint8Array} bytes */
export const dotted = (bytes) => bytes.join('.');

/** @param {string} text */
const parts = (text) => text.split('.').map(Number);

/** @param {Uint8Array} bytes */
function groups(bytes) {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const all = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16));
	return new URL(`http://[${all.join(':')}]`).hostname.slice(1, -1);
}

/** @param {string} text */
function ofGroups(text) {
	const [head, tail] = text.split('::').map((half) => half.split(':').filter(Boolean));
	const all = tail ? [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail] : head;
	return all.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255]);
}
