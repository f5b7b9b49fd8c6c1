// SOCKFS's operations on TCP and UDP sockets, put over a connector. Everything else
// (listening, sockets of an earlier time) goes to the operations that were there before.

import { connectingOps } from './connecting.js';
import { patchDuplicates } from './duplicates.js';
import { withDatagrams } from './datagrams.js';
import { POLL } from '../flags.js';
import { listeningOps } from './listening.js';
import { transferOps } from './transfer.js';
import { inOneCall } from './vectors.js';
import { createWaiting } from './waiting.js';

export { socketOf } from './record.js';

/** @typedef {import('../connector.js').Connector} Connector */
/** @typedef {import('../program/program.js').Program} Program */
/** @typedef {import('../program/program.js').Sock} Sock */

/**
 * What the operations are made of.
 * @typedef {object} Parts
 * @property {Program} program
 * @property {Connector} connector
 * @property {Record<string, any>} before  SOCKFS's own operations
 * @property {ReturnType<typeof createWaiting>} waiting
 * @property {(errno: number) => never} fail
 */

/**
 * Operations that SOCKFS itself has none of:
 * - `shutdown(sock, how)`, `disconnect(sock)` and
 *   `setsockopt(sock, level, name, valuePtr, length)`, `getsockopt(sock, level, name, valuePtr, lengthPtr)`:
 *   return 0 or throw the program's ErrnoError; pointers are numbers or BigInts
 * - `settle(sock)`: waits for the address of a UDP socket, where that is possible
 */
export const ADDED = Object.freeze(['shutdown', 'disconnect', 'setsockopt', 'getsockopt', 'settle']);

/**
 * Puts the operations in place. Returns what undoes it: for the earlier operations, our
 * sockets are not connected.
 * @param {Program} program
 * @param {Connector} connector
 * @param {{ unasked?: boolean }} [options]  unasked: poll() reports POLLERR and POLLHUP, which no program asks for (default: true). Emscripten's
 *   select() puts them into sets in which the program asked for nothing and counts them there; R takes a count above 1 for the event of another socket and looks
 *   again, for ever
 */
export function patchOps(program, connector, { unasked = true } = {}) {
	const { ops } = program;
	const before = { ...ops };
	/** @type {Parts} */
	const parts = {
		program,
		connector,
		before,
		waiting: createWaiting(program, connector),
		fail(errno) {
			throw new program.ErrnoError(errno);
		},
	};
	const patched = withDatagrams(parts, inOneCall(program, listeningOps(parts, { ...connectingOps(parts), ...transferOps(parts) })));
	if (!unasked) {
		const { poll } = patched;
		patched.poll = (sock) => poll(sock) & ~(POLL.ERR | POLL.HUP);
	}
	for (const [name, operation] of Object.entries(patched)) if (before[name] || ADDED.includes(name)) ops[name] = operation;
	const undoDuplicates = patchDuplicates(program);
	return () => {
		undoDuplicates();
		for (const name of Object.keys(patched)) {
			if (ops[name] !== patched[name]) continue;
			if (before[name]) ops[name] = before[name];
			else delete ops[name];
		}
	};
}
