// fcntl(F_SETFL) on sockets. Emscripten 3 and php-wasm cannot take a flag back.

import { F_SETFL, O_APPEND, O_NONBLOCK } from '../flags.js';
import { address } from '../memory.js';

/** F_SETFL sets these flags, and clears those that are not given. */
const SETTABLE = O_NONBLOCK | O_APPEND;

/**
 * Carries out fcntl(F_SETFL) on a socket.
 * @param {import('../program/program.js').Program} program
 * @param {number} fd
 * @param {number} command
 * @param {number | bigint} varargs  where the flags are
 * @returns {boolean}  false: it is another call, or no socket
 */
export function setFlags({ sockOf, heap32 }, fd, command, varargs) {
	const stream = command === F_SETFL ? sockOf(fd)?.stream : undefined;
	if (!stream) return false;
	const flags = new DataView(heap32().buffer).getInt32(address(varargs), true);
	stream.flags = (stream.flags & ~SETTABLE) | (flags & SETTABLE);
	return true;
}
