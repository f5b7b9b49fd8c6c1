// Socket addresses in a program's memory, for programs whose own functions for them have no names.

import * as ERRNO from '../../wire/generated/errno.js';
import { AF_INET, AF_INET6 } from '../flags.js';
import { address } from '../memory.js';
import { DOTTED, dotted, groups, ofGroups, parts, unmapped } from '../../tunnel/ip.js';

export { dotted } from '../../tunnel/ip.js';

/** Bytes of sockaddr_in and sockaddr_in6, and those without the scope. */
const SIZES = new Map([[AF_INET, 16], [AF_INET6, 28]]);
const LEAST = new Map([[AF_INET, 16], [AF_INET6, 24]]);
/** Where the addresses stand in them. */
const IN_ADDR = 4;
const IN6_ADDR = 8;
/** What stands before an IPv4 address within one of IPv6. */
const MAPPED = Object.freeze([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
const NONE = '0.0.0.0';

/**
 * Reads an address as the wasm gives it. More bytes than it needs are no error, as on Linux.
 * @param {ArrayBufferLike} buffer
 * @param {number | bigint} pointer
 * @param {number} length
 * @returns {{ errno: number, family: number, host: string, port: number }}  errno: 0 if the rest counts; host: without brackets; one of
 *   IPv4, also mapped into IPv6, in four decimal parts
 */
export function readAddress(buffer, pointer, length) {
	const at = address(pointer);
	const view = new DataView(buffer);
	const failed = (/** @type {number} */ errno) => ({ errno, family: 0, host: '', port: 0 });
	if (length < 2) return failed(ERRNO.EINVAL);
	const family = view.getUint16(at, true);
	const least = LEAST.get(family);
	if (least === undefined) return failed(ERRNO.EAFNOSUPPORT);
	if (length < least) return failed(ERRNO.EINVAL);
	const port = view.getUint16(at + 2);
	if (family === AF_INET) return { errno: 0, family, host: dotted(new Uint8Array(buffer, at + IN_ADDR, 4)), port };
	const bytes = new Uint8Array(buffer, at + IN6_ADDR, 16);
	return { errno: 0, family, host: MAPPED.every((byte, i) => bytes[i] === byte) ? dotted(bytes.subarray(12)) : groups(bytes), port };
}

/**
 * Writes an address as far as there is room, and its whole length.
 * @param {ArrayBufferLike} buffer
 * @param {number | bigint} pointer
 * @param {number | bigint} lengthPointer  where the room stands
 * @param {{ family: number, host: string, port: number }} what  host: an address
 * @returns {number}  0 or a negative errno
 */
export function writeAddress(buffer, pointer, lengthPointer, { family, host, port }) {
	const view = new DataView(buffer);
	const room = view.getInt32(address(lengthPointer), true);
	if (room < 0) return -ERRNO.EINVAL;
	const bytes = encode(family, host, port);
	view.setInt32(address(lengthPointer), bytes.length, true);
	new Uint8Array(buffer).set(bytes.subarray(0, room), address(pointer));
	return 0;
}

/**
 * @param {number} family
 * @param {string} host  an address
 * @param {number} port
 */
export function encode(family, host, port) {
	const bytes = new Uint8Array(SIZES.get(family) ?? 0);
	const view = new DataView(bytes.buffer);
	view.setUint16(0, family, true);
	view.setUint16(2, port);
	if (family === AF_INET) bytes.set(DOTTED.test(host) ? parts(host) : [], IN_ADDR);
	else if (host !== NONE) {
		const four = unmapped(host);
		bytes.set(DOTTED.test(four) ? [...MAPPED, ...parts(four)] : ofGroups(four), IN6_ADDR);
	}
	return bytes;
}
