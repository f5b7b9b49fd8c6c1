// Calls of sockets on other descriptors. Emscripten answers EBADF for a file or a pipe, as for a
// descriptor that is not open; Linux answers ENOTSOCK.

import * as ERRNO from '../../wire/generated/errno.js';

/** @typedef {import('../program/instantiate.js').ImportSlot} ImportSlot */
/** @typedef {(...args: any[]) => any} Call */

const CALLS = ['bind', 'connect', 'listen', 'accept4', 'getsockname', 'getpeername', 'getsockopt', 'setsockopt', 'shutdown', 'sendto', 'sendmsg', 'recvfrom', 'recvmsg']
	.map((name) => `__syscall_${name}`);
/** What our js-library has in the place of stubs. */
const LINKED = ['sockmux_shutdown', 'sockmux_setsockopt'];

/** fcntl() with this command changes nothing, and fails only where the descriptor is not open. */
const FCNTL = '__syscall_fcntl64';
const F_GETFD = 1;

/**
 * fd_write() without buffers is the same, in programs that have no fcntl(). It writes a number there, and
 * what stood there is put back.
 */
const WRITE = 'fd_write';
const SCRATCH = 64;

/**
 * Replaces the imports that are there, in place. Must be called before others are replaced.
 * @param {Map<string, ImportSlot>} calls
 * @param {((fd: number) => boolean) | undefined} isOpen  see openTest()
 */
export function tellFilesApart(calls, isOpen) {
	if (!isOpen) return;
	for (const name of [...CALLS, ...LINKED]) {
		const slot = calls.get(name);
		if (!slot) continue;
		const before = slot.module[slot.key];
		slot.module[slot.key] = Object.assign((/** @type {any[]} */ ...args) => {
			const result = before(...args);
			return result === -ERRNO.EBADF && args[0] >= 0 && isOpen(args[0]) ? -ERRNO.ENOTSOCK : result;
		}, before);
	}
}

/**
 * Returns what reports whether a descriptor is open, by the program's own calls;
 * undefined where it has none.
 * @param {Map<string, ImportSlot>} calls
 * @param {() => Int32Array} heap32
 * @returns {((fd: number) => boolean) | undefined}
 */
export function openTest(calls, heap32) {
	/** @param {string} name @returns {Call | undefined} */
	const own = (name) => {
		const slot = calls.get(name);
		return slot?.module[slot.key];
	};
	const [fcntl, write] = [own(FCNTL), own(WRITE)];
	if (fcntl) return (fd) => fcntl(fd, F_GETFD, 0) >= 0;
	if (!write) return undefined;
	return (fd) => {
		const at = SCRATCH / 4;
		const kept = heap32()[at];
		try {
			return write(fd, 0, 0, SCRATCH) === 0;
		} finally {
			heap32()[at] = kept;
		}
	};
}
