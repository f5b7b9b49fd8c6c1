// Blocking calls. A thread that may block waits in the operation; where the caller waits
// and calls again (JSPI, ASYNCIFY, pthreads), the operation keeps its progress and asks
// for that; others cannot block.

import { MSG, O_NONBLOCK } from '../flags.js';
import * as ERRNO from '../../wire/generated/errno.js';

/** @typedef {import('./record.js').Progress} Progress */
/** @typedef {import('./record.js').SockRecord} SockRecord */
/** @typedef {import('../program/program.js').Sock} Sock */

/**
 * One blocking call of a program: what it is called when it is called again.
 * @typedef {object} Blocking
 * @property {SockRecord} record
 * @property {string} key
 * @property {Progress} progress
 * @property {boolean} blocking  the program wants it to wait
 * @property {boolean} resumed  it has waited before, and is called again
 */

/**
 * @param {import('../program/program.js').Program} program
 * @param {import('../connector.js').Connector} connector
 */
export function createWaiting(program, connector) {
	const canBlock = () => connector.canWait || program.call.retries;
	return {
		/** Reports whether calls of this thread can wait. */
		canBlock,

		/**
		 * Begins a call, or goes on with one that has waited.
		 * @param {Sock} sock
		 * @param {SockRecord} record
		 * @param {string} name  of the call; calls at the same time have different names
		 * @param {number} [flags]  MSG_*
		 * @returns {Blocking}
		 */
		begin(sock, record, name, flags = 0) {
			const key = `${name} ${program.call.thread ?? 0}`;
			const progress = record.progress.get(key) ?? { sent: 0, pieces: [] };
			const resumed = record.progress.delete(key);
			return { record, key, progress, resumed, blocking: !(sock.stream.flags & O_NONBLOCK) && !(flags & MSG.DONTWAIT) };
		},

		/**
		 * Waits until ready. Throws where the caller is to call again.
		 * @param {Blocking} blocking
		 * @param {number} timeoutMs  for the whole call
		 * @param {() => boolean} ready
		 * @returns {boolean}  false: not ready, and the call does not wait or its time is up
		 */
		until({ record, key, progress, blocking }, timeoutMs, ready) {
			if (ready()) return true;
			if (!blocking || !canBlock()) return false;
			const until = progress.until ??= performance.now() + timeoutMs;
			do {
				const left = until - performance.now();
				if (left <= 0) return false;
				if (!connector.canWait || program.call.thread) {
					record.progress.set(key, progress);
					program.call.wait = { until };
					throw new program.ErrnoError(ERRNO.EAGAIN);
				}
				if (connector.interrupted?.()) {
					// What is done is the call's result.
					if (progress.sent > 0 || progress.pieces.length > 0) return false;
					throw new program.ErrnoError(ERRNO.EINTR);
				}
				connector.wait(left);
			} while (!ready());
			return true;
		},
	};
}
