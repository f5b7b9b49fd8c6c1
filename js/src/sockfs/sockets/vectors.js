// readv() and writev(): Emscripten makes one operation for each buffer. Here they become one call:
// what is done is not done again where the call is repeated, and what cannot go on ends it with
// the count so far.

import * as ERRNO from '../../wire/generated/errno.js';
import { socketOf } from './record.js';

/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('../program/program.js').Sock} Sock */

/**
 * Returns the operations with recvmsg and sendmsg for calls of several buffers.
 * @template {Record<string, (sock: Sock, ...args: any[]) => any>} T
 * @param {Program} program
 * @param {T} operations
 * @returns {T}
 */
export function inOneCall(program, operations) {
	const { recvmsg, sendmsg } = operations;

	/**
	 * Runs the next operation of a call, if it has not been done in an earlier attempt.
	 * @param {Sock} sock
	 * @param {() => any} nothing  the result that ends the call with what is done
	 * @param {() => { result: any, short: boolean }} run
	 */
	const next = (sock, nothing, run) => {
		const { call } = program;
		const { finished, begun = 0 } = call;
		if (!finished || !socketOf(sock)) return run().result;
		call.begun = begun + 1;
		if (begun < finished.length) return finished[begun].result;
		if (finished.some(({ short }) => short)) return nothing();
		const done = run();
		finished.push(done);
		return done.result;
	};

	return {
		...operations,

		recvmsg(sock, length, ...rest) {
			const nothing = () => ({ buffer: new Uint8Array(0), addr: sock.daddr, port: sock.dport });
			return next(sock, nothing, () => {
				// Bytes of an earlier buffer are a result: an end, an error and a wait
				// are the next call's.
				if (program.call.begun !== undefined && program.call.begun > 1 && socketOf(sock)?.available === 0) return { result: nothing(), short: true };
				const result = recvmsg(sock, length, ...rest);
				return { result, short: (result?.buffer.length ?? 0) < length };
			});
		},

		sendmsg(sock, buffer, offset, length, ...rest) {
			return next(sock, () => 0, () => {
				try {
					const result = sendmsg(sock, buffer, offset, length, ...rest);
					return { result, short: result < length };
				} catch (error) {
					const { begun = 0, wait } = program.call;
					// A socket that does not wait has taken the earlier buffers.
					if (begun > 1 && !wait && error instanceof program.ErrnoError && /** @type {any} */ (error).errno === ERRNO.EAGAIN) return { result: 0, short: true };
					throw error;
				}
			});
		},
	};
}
