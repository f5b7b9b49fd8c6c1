// poll() of a pthread. Emscripten before 6 does not wait in it; later ones wait, but hear
// of our sockets only as far as SOCKFS can be told. So sets of sockets wait here; mixed
// ones wait here too where the program's own poll() came back early.

import * as pollfd from '../calls/pollfd.js';
import { passingOver } from '../calls/pollset.js';

/** How long a mixed set sleeps at most: no change of the others is told. */
const SLICE_MS = 20;

/**
 * @param {object} parts
 * @param {(...args: any[]) => number} parts.before  the program's own
 * @param {(name: '__syscall_poll', args: readonly (number | bigint)[]) => number | undefined} parts.once  one look in the page's thread, without waiting
 * @param {import('./cells.js').Common} parts.common
 * @param {WebAssembly.Memory} parts.memory
 * @param {boolean} parts.waits  whether the program's own waits
 * @returns {(fds: any, count: number, timeout: number) => number}
 */
export function pollLoop({ before, once, common, memory, waits }) {
	return passingOver(() => new Int32Array(memory.buffer))((fds, count, timeout) => {
		const heap = new Int32Array(memory.buffer);
		let sockets = 0;
		let others = 0;
		for (let i = 0; i < count; i++) {
			const fd = heap[(Number(fds) + i * pollfd.BYTES) >> 2];
			if (common.maySocket(fd)) sockets++;
			else others++;
		}
		const sleeps = !waits && sockets === 0 && others === 0;
		if ((sockets === 0 && !sleeps) || timeout === 0) return before(fds, count, timeout);
		const end = timeout < 0 ? Infinity : performance.now() + timeout;
		for (;;) {
			const seen = common.changes;
			const result = sleeps ? 0 : once('__syscall_poll', [fds, count, 0]);
			if (result === undefined) return before(fds, count, timeout);
			const left = end - performance.now();
			if (result !== 0 || left <= 0) return result;
			common.wait(seen, others > 0 ? Math.min(left, SLICE_MS) : left);
		}
	});
}
